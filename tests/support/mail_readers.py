"""Mails read back by two parsers that share no code, each into the same plain values.

`by_python` is the standard library's; `by_rust` is the PyPI package fast-mail-parser (the crate
mailparse).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import compat32, default
from email.utils import getaddresses

import fast_mail_parser
from fast_mail_parser import PyAddress, PyMimePart


#: (name, address).
Address = tuple[str, str]


@dataclass(frozen=True)
class Leaf:
    """A part that holds content."""

    type: str
    content: bytes
    filename: str
    disposition: str
    cid: str


#: A leaf, or a multipart's type with its parts.
Node = Leaf | tuple[str, tuple["Node", ...]]


@dataclass(frozen=True)
class Read:
    """A whole mail."""

    sender: list[Address]
    to: list[Address]
    cc: list[Address]
    reply_to: list[Address]
    subject: str
    message_id: str
    more: dict[str, list[str]]
    body: Node


def ended(node: Node) -> Node:
    """Give a mail of one part its last line end: SMTP adds it (RFC 5321 4.1.1.4)."""
    if isinstance(node, Leaf) and not node.content.endswith(b"\r\n"):
        return replace(node, content=node.content + b"\r\n")
    return node


def by_python(content: bytes, names: list[str]) -> Read:
    """Read with `email`; `names` of the further headers."""
    message = BytesParser(policy=default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    assert not [part.defects for part in message.walk() if part.defects]

    # The newer policy takes the space between two encoded words of a name for a part of it.
    plain = BytesParser(policy=compat32).parsebytes(content)

    def addresses(name: str) -> list[Address]:
        found = getaddresses(plain.get_all(name, []))
        return [(str(make_header(decode_header(name))), address) for name, address in found]

    return Read(
        sender=addresses("From"),
        to=addresses("To"),
        cc=addresses("Cc"),
        reply_to=addresses("Reply-To"),
        subject=str(message["Subject"]),
        message_id=str(message["Message-ID"]),
        more={name: [str(value) for value in message.get_all(name, [])] for name in names},
        body=ended(_python_node(message)),
    )


def by_rust(content: bytes, names: list[str]) -> Read:
    """Read with fast-mail-parser."""
    message = fast_mail_parser.parse_email(content)
    assert message.warnings == []
    headers = {name.lower(): values for name, values in message.headers.items()}
    return Read(
        sender=_rust_addresses([message.from_] if message.from_ else []),
        to=_rust_addresses(message.to),
        cc=_rust_addresses(message.cc),
        reply_to=_rust_addresses(message.reply_to),
        subject=message.subject,
        message_id=headers["message-id"][0],
        more={name: headers.get(name.lower(), []) for name in names},
        body=ended(_rust_node(fast_mail_parser.parse_email_tree(content))),
    )


def _python_node(part: EmailMessage) -> Node:
    type = part.get_content_type()
    if type.startswith("multipart/"):
        children = [child for child in part.iter_parts() if isinstance(child, EmailMessage)]
        return type, tuple(_python_node(child) for child in children)
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return Leaf(
        type,
        payload,
        part.get_filename() or "",
        part.get_content_disposition() or "",
        str(part["Content-ID"] or ""),
    )


def _rust_addresses(found: list[PyAddress]) -> list[Address]:
    return [(each.display_name or "", each.address) for each in found]


def _rust_node(part: PyMimePart) -> Node:
    if part.content is None:
        return part.content_type, tuple(_rust_node(child) for child in part.children)
    return Leaf(
        part.content_type,
        part.content,
        part.filename,
        part.disposition or "",
        f"<{part.content_id}>" if part.content_id else "",
    )

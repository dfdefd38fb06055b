"""A mail taken apart: what the list shows, the bodies, and the attachments."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

from local.inbox import headers


_SNIPPET_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment, or an inline image that the HTML names by `cid`."""

    filename: str
    content_type: str
    content: bytes
    cid: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """A mail taken apart; a body is None when the mail has none of that kind."""

    message: Message
    text: str | None
    html: str | None
    parts: tuple[Part, ...]

    @property
    def snippet(self) -> str:
        """The first words, for the list."""
        text = self.text if self.text is not None else _without_tags(self.html or "")
        return " ".join(text.split())[:_SNIPPET_LENGTH]


def parse(source: bytes) -> Parsed:
    """Take a mail apart; a broken one as well as can be, never with an error."""
    message = message_from_bytes(source)
    bodies: dict[str, str] = {}
    parts: list[Part] = []
    for leaf in _leaves(message):
        kind = leaf.get_content_type()
        is_body = kind in ("text/plain", "text/html") and not _is_attached(leaf)
        if is_body and kind not in bodies:
            bodies[kind] = headers.text_of(_content(leaf), leaf.get_content_charset())
        else:
            parts.append(_part(leaf, len(parts) + 1))
    return Parsed(message, bodies.get("text/plain"), bodies.get("text/html"), tuple(parts))


def _leaves(message: Message) -> list[Message]:
    """List the parts in their order; an attached mail is one part, whatever is inside."""
    payload = message.get_payload()
    if not isinstance(payload, list) or message.get_content_maintype() == "message":
        return [message]
    return [leaf for part in payload if isinstance(part, Message) for leaf in _leaves(part)]


def _is_attached(leaf: Message) -> bool:
    return leaf.get_content_disposition() == "attachment" or leaf.get_filename() is not None


def _part(leaf: Message, number: int) -> Part:
    kind = leaf.get_content_type()
    cid = headers.value(leaf, "Content-ID").strip("<>") or None
    return Part(
        filename=_filename(leaf) or f"part-{number}.{_extension(kind)}",
        content_type=kind,
        content=_content(leaf),
        cid=cid,
        inline=cid is not None and leaf.get_content_disposition() != "attachment",
    )


def _filename(leaf: Message) -> str:
    """Read the file's name without its folders and control characters."""
    name = headers.decoded(leaf.get_filename() or "").replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable()).strip(". ")


def _extension(kind: str) -> str:
    known = {"message/rfc822": "eml", "text/calendar": "ics", "text/plain": "txt"}
    return known.get(kind) or re.sub(r"[^a-z0-9]", "", kind.rpartition("/")[2]) or "bin"


def _content(leaf: Message) -> bytes:
    payload = leaf.get_payload()
    if isinstance(payload, list):  # message/rfc822
        return b"".join(part.as_bytes() for part in payload if isinstance(part, Message))
    content = leaf.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _without_tags(text: str) -> str:
    text = re.sub(r"(?is)<(head|style|script|title)\b.*?</\1\s*>|<!--.*?-->", " ", text)
    return html.unescape(re.sub(r"<[^>]*>", " ", text))

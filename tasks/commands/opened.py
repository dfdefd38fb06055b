"""A composed mail, taken apart again as its reader's program does; or a letter in its parts."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from tasks.letter import Letter, Person


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part: `name` and `cid` may be ""."""

    type: str
    content: bytes
    name: str
    cid: str
    attached: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """`text` and `html`: None when there is none."""

    headers: list[tuple[str, str]]
    text: str | None
    html: str | None
    others: list[Leaf]


def opened(content: bytes) -> Opened:
    """Parse a mail."""
    message = BytesParser(policy=default).parsebytes(content)
    if not isinstance(message, EmailMessage):
        raise TypeError("the policy makes another class")
    bodies: dict[str, str] = {}
    others: list[Leaf] = []
    for part in _leaves(message):
        leaf = _leaf(part)
        is_body = leaf.type in ("text/plain", "text/html") and not leaf.attached and not leaf.name
        if is_body and leaf.type not in bodies:
            text = leaf.content.decode(part.get_content_charset("utf-8"), "replace")
            bodies[leaf.type] = text.replace("\r\n", "\n")
        else:
            others.append(leaf)
    headers = [(name, str(value)) for name, value in message.items()]
    return Opened(headers, bodies.get("text/plain"), bodies.get("text/html"), others)


def of_letter(letter: Letter) -> Opened:
    """Show what a service is told that writes the mail itself."""
    people = {"To": letter.to, "Cc": letter.cc, "Reply-To": letter.reply_to}
    lists = {name: ", ".join(map(_person, each)) for name, each in people.items() if each}
    headers = {"From": _person(letter.sender), **lists, "Subject": letter.subject, **letter.headers}
    told = {name: str(value) for name, value in letter.send_grid.items() if value}
    forms = {form.type: form.text for form in letter.forms}
    files = [
        Leaf(
            file.type,
            base64.b64decode(file.content),
            file.name,
            file.content_id or "",
            attached=file.disposition == "attachment",
        )
        for file in letter.files
    ]
    others = [
        Leaf(type, text.encode(), "", "", attached=False)
        for type, text in forms.items()
        if type not in ("text/plain", "text/html")
    ]
    return Opened(
        [*headers.items(), *told.items()],
        forms.get("text/plain"),
        forms.get("text/html"),
        [*others, *files],
    )


def _person(person: Person) -> str:
    return f"{person.name} <{person.address}>" if person.name else person.address


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    if message.get_content_maintype() != "multipart":
        yield message
        return
    for part in message.iter_parts():
        if isinstance(part, EmailMessage):
            yield from _leaves(part)


def _leaf(part: EmailMessage) -> Leaf:
    if part.get_content_maintype() == "message":
        content = b"".join(bytes(inner) for inner in part.iter_parts())
    else:
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
    return Leaf(
        type=part.get_content_type(),
        content=content,
        name=part.get_filename() or "",
        cid=str(part.get("Content-ID") or "").strip().strip("<>"),
        attached=part.get_content_disposition() == "attachment",
    )

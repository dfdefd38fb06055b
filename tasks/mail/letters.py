"""A document, read → a letter, for a service that writes the mail itself."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from tasks.letter import File, Form, Letter, Person
from tasks.mail import headers
from tasks.mail.addresses import Mailbox
from tasks.mail.bodies import Text
from tasks.mail.parts import Leaf
from tasks.mail.problems import Problems
from tasks.mail.reading import Reading


_UNNAMED = "attachment"


def check(mail: Reading, problems: Problems) -> None:
    """Note what a mail may have, and a letter not."""
    if len(mail.originators.sender) > 1:
        problems.add("from", "holds several addresses; SendGrid takes one")
    given = not any(where in problems for where in ("message", "message.subject", "template"))
    if given and not mail.subject and not mail.send_grid.get("template_id"):
        problems.add("message.subject", "is empty; SendGrid takes no mail without one")
    names = [name.lower() for name, _ in _headers(mail)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"headers.{name}", "has several values; SendGrid takes one")
    files = (*mail.attached.inline, *mail.attached.attached)
    if any(leaf.file is None for leaf in files):
        problems.add("message.attachments", "has a raw part, which SendGrid does not take")
    if any(leaf.file is not None and leaf.file.more for leaf in files):
        problems.add("message.attachments", "has headers of a part; SendGrid takes none")
    if any(isinstance(other, Leaf) for other in mail.bodies.others):
        problems.add("message.alternatives", "has a part that is no text; SendGrid takes texts")


def write(mail: Reading) -> Letter:
    """Make the letter; `check` found nothing wrong."""
    return Letter(
        sender=_person(mail.originators.sender[0]),
        reply_to=_people(mail.originators.reply_to),
        to=_people(mail.recipients.to.mailboxes),
        cc=_people(mail.recipients.cc.mailboxes),
        subject=mail.subject,
        forms=tuple(_forms(mail)),
        files=tuple(_file(leaf) for leaf in (*mail.attached.inline, *mail.attached.attached)),
        headers=dict(_headers(mail)),
        categories=mail.categories,
        send_grid=mail.send_grid,
    )


def _person(mailbox: Mailbox) -> Person:
    return Person(mailbox.address, mailbox.name)


def _people(mailboxes: Sequence[Mailbox]) -> tuple[Person, ...]:
    return tuple(_person(each) for each in mailboxes)


def _forms(mail: Reading) -> Iterable[Form]:
    bodies = mail.bodies
    for type, text in (
        ("text/plain", bodies.text),
        ("text/x-amp-html", bodies.amp),
        ("text/html", bodies.html),
    ):
        if text:
            yield Form(type, text)
    for other in bodies.others:
        if isinstance(other, Text):
            # The API takes no parameters.
            yield Form(f"text/{other.subtype}", other.text)


def _headers(mail: Reading) -> list[tuple[str, str]]:
    custom = mail.custom_headers
    lines = [f"Message-ID: {mail.message_id}", *custom.lines, *mail.list_headers]
    if custom.date:
        lines.append(f"Date: {custom.date}")
    if custom.sender:
        lines.append(headers.addresses("Sender", [custom.sender]))
    parted = (line.replace("\r\n", "").partition(":") for line in lines)
    return [(name, value.strip()) for name, _, value in parted]


def _file(leaf: Leaf) -> File:
    facts = leaf.file
    if facts is None:
        raise AssertionError("a raw part, which `check` refuses")
    if "Content-Transfer-Encoding: base64" in leaf.headers:
        content = leaf.body.replace(b"\r\n", b"")
    else:
        content = base64.b64encode(leaf.body)
    return File(
        name=facts.name or _UNNAMED,
        type=facts.type,
        disposition=facts.disposition,
        content=content.decode("ascii"),
        content_id=facts.content_id,
    )

"""The document, read and checked: everything a mail is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from tasks.envelope import Dsn
from tasks.errors import ProblemCode
from tasks.mail import (
    alternatives,
    attachments,
    calendar,
    custom_headers,
    deadline,
    filling,
    list_headers,
    message_id,
    originators,
    problems,
    profiles,
    recipients,
    send_grid,
    status_notification,
)
from tasks.mail.attachments import AttachedParts
from tasks.mail.bodies import Bodies
from tasks.mail.custom_headers import CustomHeaders
from tasks.mail.defaults import Defaults
from tasks.mail.gathered import Gathered
from tasks.mail.inline_css import inline
from tasks.mail.originators import Originators
from tasks.mail.parts import Leaf
from tasks.mail.problems import Problems, quote
from tasks.mail.recipients import Recipients
from tasks.mail.schema import Document, Message
from tasks.mail.text_from_html import text_from_html


@dataclass(frozen=True, slots=True)
class Reading:
    """What the document asks for; nothing in it is wrong any more."""

    message_id: str
    originators: Originators
    recipients: Recipients
    custom_headers: CustomHeaders
    list_headers: list[str]
    dsn: Dsn | None
    subject: str
    bodies: Bodies
    attached: AttachedParts
    categories: tuple[str, ...]
    #: What SendGrid's Web API is told beside the mail.
    send_grid: Mapping[str, Any]

    @property
    def needs_smtputf8(self) -> bool:
        """Tell whether an address in the envelope or the header has a non-ASCII local part."""
        by, to = self.originators, self.recipients
        shown = [*by.sender, *by.reply_to, *to.to.mailboxes, *to.cc.mailboxes]
        if self.custom_headers.sender:
            shown.append(self.custom_headers.sender)
        return not all(mailbox.address.isascii() for mailbox in shown) or not all(
            address.isascii() for address in to.envelope
        )

    @property
    def can_be_seven_bit(self) -> bool:
        """Tell whether there is a form of this mail in ASCII."""
        parts = (*self.attached.inline, *self.attached.attached, *self.bodies.others)
        return not any(isinstance(part, Leaf) and part.has_8bit for part in parts)


def read(
    document: Mapping[str, Any],
    defaults: Defaults,
    now: datetime,
    gathered: Gathered,
    check: Callable[[Reading, Problems], None] | None = None,
) -> Reading:
    """Read a document, with what it needs from elsewhere; `check` may find more that is wrong.

    Raises InvalidDocument: first for values of a wrong kind, all at once; then, when the kinds are
    right, for what they say, all at once. Raises Permanent when deliverBefore has passed, Transient
    when nothing is wrong and something could not be gathered for now.
    """
    model = _validated(document)
    deadline.check(model.deliver_before, now)
    found = Problems()
    _check_transport(model, defaults, found)
    message = _message(model, gathered, found)
    custom = custom_headers.read(model.headers, found)
    by = originators.read(model, custom, defaults, found)
    id = _given_message_id(message, custom, found)
    to = recipients.read(model, gathered, defaults.max_recipients, found)
    bodies, attached = _parts(message, defaults, gathered, found)
    reading = Reading(
        message_id=id or _derived_message_id(document, by, defaults, found),
        originators=by,
        recipients=to,
        custom_headers=custom,
        list_headers=list_headers.read(model.list_headers, custom, found),
        dsn=status_notification.read(model.dsn, found),
        subject=message.subject or "",
        bodies=bodies,
        attached=attached,
        categories=send_grid.categories(model, defaults, found),
        send_grid=send_grid.read(model, defaults, found),
    )
    if check is not None:
        check(reading, found)
    found.check()
    return reading


def read_message(document: Mapping[str, Any], defaults: Defaults, gathered: Gathered) -> Message:
    """Read the message alone, with its template rendered, as it stands in the mail.

    Files from elsewhere stay what they are in the document. Raises InvalidDocument.
    """
    found = Problems()
    message = _message(_validated(document), gathered, found)
    text, html = _texts(message, defaults, found)
    found.check()
    return message.model_copy(update={"text": text, "html": html})


def _validated(document: Mapping[str, Any]) -> Document:
    try:
        return Document.model_validate(dict(document))
    except ValidationError as error:
        raise problems.of_schema(error) from None  # the cause would show the mail's content


def _check_transport(model: Document, defaults: Defaults, found: Problems) -> None:
    asked = profiles.name(model.transport or "")
    if asked and asked not in defaults.transports:
        known = ", ".join(defaults.transports)
        found.add("transport", f"must be one of {known}, not {quote(model.transport or '')}")


def _message(model: Document, gathered: Gathered, found: Problems) -> Message:
    message = model.message
    if model.template is not None:
        message = filling.fill(message, model.template, gathered.rendered, found)
        if "template" in found:
            return message  # what is missing may be what the template has
    if model.send_grid is not None and model.send_grid.template_id:
        return message or Message()  # SendGrid's template has the rest
    if message is None:
        found.add("message", "is missing", ProblemCode.MISSING)
        return Message()
    if message.subject is None:
        found.add("message.subject", "is missing", ProblemCode.MISSING)
    if not message.text and not message.html:
        what = "at least one must be there and not be empty"
        found.add("message.text, message.html:", what, ProblemCode.MISSING)
    return message


def _parts(
    message: Message, defaults: Defaults, gathered: Gathered, found: Problems
) -> tuple[Bodies, AttachedParts]:
    attached = attachments.read(message.attachments, gathered, found)
    others = alternatives.read(message.alternatives, gathered, found)
    if event := calendar.read(message.ical_event, gathered, found):
        others.insert(0, event.body)
        if event.file:
            attached = replace(attached, attached=(*attached.attached, event.file))
    text, html = _texts(message, defaults, found)
    return Bodies(text, html, message.amp or "", tuple(others)), attached


def _texts(message: Message, defaults: Defaults, found: Problems) -> tuple[str, str]:
    text, html = message.text or "", message.html or ""
    if not text and defaults.text_from_html:
        text = text_from_html(html)
    if defaults.inline_css:
        html = _inlined(html, found)
    return text, html


def _inlined(html: str, found: Problems) -> str:
    try:
        return inline(html)
    except ValueError as error:
        found.add("message.html", str(error))
        return html


def _given_message_id(message: Message, custom: CustomHeaders, found: Problems) -> str | None:
    where, text = "message.messageId", message.message_id
    if custom.message_id is not None:
        if text:
            found.add("headers.Message-ID", "stands beside message.messageId: give one of them")
        where, text = "headers.Message-ID", custom.message_id
    if not text:
        return None
    try:
        return message_id.given(text)
    except ValueError as error:
        found.add(where, str(error))
        return None


def _derived_message_id(
    document: Mapping[str, Any], by: Originators, defaults: Defaults, found: Problems
) -> str:
    try:
        return message_id.derived(document.get("_id"), by.domain, defaults.namespace)
    except ValueError as error:
        found.add("_id", str(error))
        return ""

"""The document as services write it: one model for each noun.

Types are checked strictly: a number is no subject. `null` means absent everywhere and unknown keys
are the service's own business. What the types cannot say is checked where the value is used.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from tasks.mail.fields import (
    MAX_ALTERNATIVES,
    MAX_ATTACHMENTS,
    MAX_HEADERS,
    Content,
    Date,
    Filename,
    HeaderMap,
    HttpHeaders,
    Key,
    Line,
    Lines,
    PartHeaderMap,
    Text,
    Uid,
    Uids,
    bounded,
)


class _Noun(BaseModel):
    model_config = ConfigDict(
        strict=True,
        extra="ignore",
        frozen=True,
        alias_generator=to_camel,
    )


def _event(value: Any) -> Any:
    """Take a string for the event's content, as nodemailer does."""
    if value in ("", b"", {}):
        return None
    return {"content": value} if isinstance(value, str | bytes) else value


class Part(_Noun):
    """What nodemailer's attachments, alternatives and events have in common."""

    filename: Filename | None = None
    content: Content | None = None
    encoding: Line | None = None
    headers: PartHeaderMap | None = None
    #: A file's name below ATTACHMENT_ROOT, or a URL; `href` is always a URL.
    path: Text | None = None
    href: Text | None = None
    http_headers: HttpHeaders | None = None
    #: The `_id` of a file in ATTACHMENT_BUCKET.
    gridfs: Uid | None = None


class Alternative(Part):
    """Another form of the text, for programs that understand it."""

    content_type: Line | None = None
    #: The whole part, headers included.
    raw: Content | None = None


class Attachment(Alternative):
    """A file."""

    content_disposition: Line | None = None
    cid: Line | None = None


class CalendarEvent(Part):
    """An invitation, or what became of it."""

    method: Line | None = None


class Message(_Noun):
    """What the reader sees."""

    subject: Line | None = None
    text: Text | None = None
    html: Text | None = None
    amp: Text | None = None
    message_id: Line | None = None
    attachments: Annotated[list[Attachment | None], bounded(MAX_ATTACHMENTS)] | None = None
    alternatives: Annotated[list[Alternative | None], bounded(MAX_ALTERNATIVES)] | None = None
    ical_event: Annotated[CalendarEvent | None, BeforeValidator(_event)] = None


class ListHeaders(_Noun):
    """What mail programs are told of a mailing list."""

    #: One URL (https, http, mailto) or several.
    unsubscribe: Lines | None = None
    one_click: bool | None = None
    id: Line | None = None


class StatusNotification(_Noun):
    """What the servers on the way shall report."""

    notify: Lines | None = None
    returns: Line | None = Field(default=None, alias="return")
    id: Line | None = None


class SendGrid(_Noun):
    """What SendGrid's Web API is told beside the mail, as the Firebase extension has it."""

    template_id: Line | None = None
    dynamic_template_data: dict[str, Any] | None = None
    mail_settings: dict[str, Any] | None = None
    custom_args: Annotated[dict[str, Text | None], bounded(MAX_HEADERS)] | None = None
    ip_pool_name: Line | None = None


class TemplateUse(_Noun):
    """A template and the data for it."""

    name: Line | None = None
    data: dict[str, Any] | None = None


class Document(_Noun):
    """A document of the mail collection."""

    to: Lines | None = None
    cc: Lines | None = None
    bcc: Lines | None = None
    to_uids: Uids | None = None
    cc_uids: Uids | None = None
    bcc_uids: Uids | None = None
    sender: Line | None = Field(default=None, alias="from")
    reply_to: Line | None = None
    headers: HeaderMap | None = None
    list_headers: ListHeaders | None = Field(default=None, alias="list")
    message: Message | None = None

    send_at: Date | None = None
    deliver_before: Date | None = None
    priority: Literal["high", "normal", "low"] | None = None
    idempotency_key: Key | None = None
    send_grid: SendGrid | None = None
    #: SendGrid's business; of no use to an SMTP server.
    categories: Lines | None = None
    dsn: StatusNotification | None = None

    template: TemplateUse | None = None
    transport: Line | None = None

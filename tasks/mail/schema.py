"""The document as services write it: one model for each noun.

Types are checked strictly: a number is no subject. `null` means absent everywhere and unknown keys
are the service's own business. What the types cannot say is checked where the value is used.

The texts below the fields are the descriptions in the published JSON Schema (`json_schema`).
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
        use_attribute_docstrings=True,
    )


def _event(value: Any) -> Any:
    """Take a string for the event's content, as nodemailer does."""
    if value in ("", b"", {}):
        return None
    return {"content": value} if isinstance(value, str | bytes) else value


class Part(_Noun):
    """What nodemailer's attachments, alternatives and events have in common."""

    filename: Filename | None = None
    """The file's name; false: none."""
    content: Content | None = None
    """A string (as UTF-8 text), or binary."""
    encoding: Line | None = None
    """When `content` is a string that stands for bytes: base64, hex, utf-8 and others."""
    headers: PartHeaderMap | None = None
    """Further header lines of this part."""
    path: Text | None = None
    """A file below ATTACHMENT_ROOT, or a URL like `href`."""
    href: Text | None = None
    """An https: or http: URL of one of the ATTACHMENT_HOSTS, or a data: URI."""
    http_headers: HttpHeaders | None = None
    """Headers of the request for `href`. A redirection to another host drops them."""
    gridfs: Uid | None = None
    """The `_id` of a file in GridFS (ATTACHMENT_BUCKET), or a string that stands for it."""


class Alternative(Part):
    """Another form of the text, for programs that understand it."""

    content_type: Line | None = None
    """The media type. Default: by the file name."""
    raw: Content | None = None
    """The whole part, its headers included, in place of all the other fields."""


class Attachment(Alternative):
    """A file."""

    content_disposition: Line | None = None
    """attachment (default) or inline."""
    cid: Line | None = None
    """For <img src="cid:…"> in the HTML."""


class CalendarEvent(Part):
    """An invitation, or what became of it."""

    method: Line | None = None
    """PUBLISH, REQUEST, REPLY, CANCEL and others. Default: the content's own METHOD."""


class Message(_Noun):
    """What the reader sees."""

    subject: Line | None = None
    """The subject; it may be empty."""
    text: Text | None = None
    """The mail as plain text. Of text and HTML at least one is needed."""
    html: Text | None = None
    """The mail as HTML."""
    amp: Text | None = None
    """The same as AMP for Email; text or HTML is needed besides."""
    message_id: Line | None = None
    """<unique@example.com>. Default: derived from `_id`, the same at every attempt."""
    attachments: Annotated[list[Attachment | None], bounded(MAX_ATTACHMENTS)] | None = None
    """Files, in nodemailer's shape."""
    alternatives: Annotated[list[Alternative | None], bounded(MAX_ALTERNATIVES)] | None = None
    """Further forms of the text."""
    ical_event: Annotated[
        CalendarEvent | None,
        BeforeValidator(_event, json_schema_input_type=CalendarEvent | Content | None),
    ] = None
    """An invitation; a string is its `content`."""


class ListHeaders(_Noun):
    """What mail programs are told of a mailing list."""

    unsubscribe: Lines | None = None
    """How to leave the mailing list: https:, http: and mailto: URLs."""
    one_click: bool | None = None
    """The https URL leaves the list at once when it is asked by POST (RFC 8058)."""
    id: Line | None = None
    """news.example.com or Our news <news.example.com>, for List-Id."""


class StatusNotification(_Noun):
    """What the servers on the way shall report."""

    notify: Lines | None = None
    """never, or any of success, failure, delay."""
    returns: Line | None = Field(default=None, alias="return")
    """How much of the mail comes back: headers or full."""
    id: Line | None = None
    """Comes back in the notification; at most 100 characters."""


class SendGrid(_Noun):
    """What SendGrid's Web API is told beside the mail, as the Firebase extension has it."""

    template_id: Line | None = None
    """The id of a dynamic template there; then `message` may be left out."""
    dynamic_template_data: dict[str, Any] | None = None
    """What the template is filled with."""
    mail_settings: dict[str, Any] | None = None
    """The API's mail_settings: sandboxMode and others."""
    custom_args: Annotated[dict[str, Text | None], bounded(MAX_HEADERS)] | None = None
    """Values that come back in SendGrid's events."""
    ip_pool_name: Line | None = None
    """The pool of addresses to send from."""


class TemplateUse(_Noun):
    """A template and the data for it."""

    name: Line | None = None
    """The `_id` or the `name` of a document of TEMPLATES_COLLECTION."""
    data: dict[str, Any] | None = None
    """What the template is filled with."""


class Document(_Noun):
    """A document of the mail collection."""

    to: Lines | None = None
    """Addresses: a@example.com, Name <a@example.com>, several with commas between."""
    cc: Lines | None = None
    """The same; shown to all."""
    bcc: Lines | None = None
    """The same; shown to nobody."""
    to_uids: Uids | None = None
    """Users: the `_id` of a document of USERS_COLLECTION, whose `email` is added to `to`."""
    cc_uids: Uids | None = None
    """The same for `cc`."""
    bcc_uids: Uids | None = None
    """The same for `bcc`."""
    sender: Line | None = Field(default=None, alias="from")
    """Whom the mail is from. Default: DEFAULT_FROM."""
    reply_to: Line | None = None
    """Who gets the answers. Default: DEFAULT_REPLY_TO."""
    headers: HeaderMap | None = None
    """Further header lines; not those that other fields are for, nor those of MIME."""
    list_headers: ListHeaders | None = Field(default=None, alias="list")
    """What mail programs are told of a mailing list."""
    message: Message | None = None
    """What the reader sees."""

    send_at: Date | None = None
    """Not before this time. The state stays PENDING until then."""
    deliver_before: Date | None = None
    """Worthless after this time: ERROR instead of a late mail."""
    priority: Literal["high", "normal", "low"] | None = None
    """Three queues; a worker empties the higher one first. Default: normal."""
    idempotency_key: Key | None = None
    """Of the documents with the same key within 24 hours one is sent."""
    send_grid: SendGrid | None = None
    """What SendGrid's Web API is told beside the mail."""
    categories: Lines | None = None
    """SendGrid's business; of no use to an SMTP server."""
    dsn: StatusNotification | None = None
    """What the servers on the way shall report (RFC 3461)."""

    template: TemplateUse | None = None
    """A template of TEMPLATES_COLLECTION by its name, and its data."""
    transport: Line | None = None
    """The name of one of several mail servers."""

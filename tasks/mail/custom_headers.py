"""The document's own header lines: which are allowed, and how each is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.mail import address_list, headers
from tasks.mail.addresses import Mailbox
from tasks.mail.fields import lines
from tasks.mail.problems import Problems, path


#: RFC 5322 3.6.8: printable ASCII without the colon. The length keeps the line within bounds.
_NAME = re.compile(r"[!-9;-~]{1,70}")

#: RFC 5322 3.3, as strictly as it is written today.
_DATE = re.compile(
    r"((Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d{1,2} "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d{2}:\d{2}(:\d{2})? ([+-]\d{4}|GMT|UT)",
    re.ASCII,
)

_FIELD_FOR = {
    "from": "from",
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
    "subject": "message.subject",
}
#: Ours, or a server's on the way; a forged one would break the mail or lie about its way.
_RESERVED = ("mime-version", "dkim-signature", "received", "return-path", "authentication-results")
_RESERVED_PREFIXES = ("content-", "resent-", "arc-")

_ONCE = ("date", "sender", "reply-to", "message-id", "in-reply-to", "references")
#: Not free text: encoded words would destroy them.
_STRUCTURED = ("in-reply-to", "references", "auto-submitted", "precedence", "feedback-id")
_STRUCTURED_PREFIX = "list-"


@dataclass(slots=True)
class CustomHeaders:
    """Lines ready for the wire, and the values that stand for a field of the document."""

    lines: list[str] = field(default_factory=list)
    reply_to: str | None = None
    message_id: str | None = None
    date: str | None = None
    sender: Mailbox | None = None


Values = str | list[str | None] | None


def read(fields: Mapping[str, Values] | None, problems: Problems) -> CustomHeaders:
    """Check and write `headers`.

    Reply-To and Message-ID are taken as replyTo and message.messageId, because documents written
    for the Firebase extension have them here.
    """
    found = CustomHeaders()
    for name, value in (fields or {}).items():
        values = lines(value)
        where = path("headers", name)
        lower = name.lower()
        if fault := _fault(name, lower):
            problems.add(where, fault)
        elif lower in _ONCE and (len(values) > 1 or _taken(found, lower)):
            problems.add(where, "must be given once")
        else:
            for text in values:
                try:
                    _add(found, name, text)
                except ValueError as error:
                    problems.add(where, str(error))
    return found


def read_part(fields: Mapping[str, Values] | None, where: str, problems: Problems) -> list[str]:
    """Check and write the `headers` of the attachment at the path `where`."""
    written: list[str] = []
    for name, value in (fields or {}).items():
        lower = name.lower()
        here = f"{where}.{path('headers', name)}"
        if not _NAME.fullmatch(name):
            problems.add(here, "is no header name: printable ASCII without colon and spaces")
        elif lower in _PART_FIELD_FOR:
            problems.add(here, f"is not allowed: {_PART_FIELD_FOR[lower]}")
        else:
            written += [headers.unstructured(name, text) for text in lines(value)]
    return written


_PART_FIELD_FOR = {
    "content-type": "use contentType",
    "content-disposition": "use contentDisposition and filename",
    "content-id": "use cid",
    "content-transfer-encoding": "Mailtrigger chooses it",
    "mime-version": "it belongs to the whole mail",
}


def _fault(name: str, lower: str) -> str | None:
    if not _NAME.fullmatch(name):
        return "is no header name: at most 70 printable ASCII characters without colon and spaces"
    if lower in _FIELD_FOR:
        return f"is not allowed: use the field {_FIELD_FOR[lower]}"
    if lower in _RESERVED or lower.startswith(_RESERVED_PREFIXES):
        return "is not allowed: this header is not the document's to set"
    return None


def _taken(found: CustomHeaders, lower: str) -> bool:
    return lower in found.names


def _add(found: CustomHeaders, name: str, text: str) -> None:
    lower = name.lower()
    if lower == "reply-to":
        found.reply_to = text
    elif lower == "message-id":
        found.message_id = text
    elif lower == "date":
        found.date = _date(text)
    elif lower == "sender":
        found.sender = _sender(text)
    elif lower in _STRUCTURED or lower.startswith(_STRUCTURED_PREFIX):
        found.lines.append(headers.verbatim(name, text))
    else:
        found.lines.append(headers.unstructured(name, text))


def _date(text: str) -> str:
    if not _DATE.fullmatch(text.strip()):
        raise ValueError('must look like "Tue, 5 Mar 2024 09:30:00 +0100"')
    return text.strip()


def _sender(text: str) -> Mailbox:
    found = address_list.parse([text])
    if len(found.mailboxes) != 1 or found.invalid:
        raise ValueError("must be one valid address")
    return found.mailboxes[0]

"""The document's own header lines: which are allowed, and how each is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.mail import address_list, headers
from tasks.mail.addresses import Mailbox
from tasks.mail.fields import lines
from tasks.mail.problems import Problems, path


#: A header's value or values, as the document holds it.
Values = str | list[str | None] | None

#: RFC 5322 3.6.8: printable ASCII without the colon. The length keeps the line within bounds.
_NAME = re.compile(r"[!-9;-~]{1,70}")

#: RFC 5322 3.3, without the obsolete forms.
_DATE = re.compile(
    r"((Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d{1,2} "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d{2}:\d{2}(:\d{2})? ([+-]\d{4}|GMT|UT)",
    re.ASCII,
)

_FIELD_FOR = {"subject": "message.subject"} | {name: name for name in ("from", "to", "cc", "bcc")}
#: Ours to set, or a server's on the way.
_RESERVED = ("mime-version", "dkim-signature", "received", "return-path", "authentication-results")
_RESERVED_PREFIXES = ("content-", "resent-", "arc-")

_ONCE = ("date", "sender", "reply-to", "message-id", "in-reply-to", "references")
#: Not free text: encoded words would spoil them.
_STRUCTURED = (
    *("in-reply-to", "references", "auto-submitted", "precedence"),
    *("list-unsubscribe", "list-unsubscribe-post", "list-subscribe", "list-help"),
    *("list-post", "list-owner", "list-archive"),
)


@dataclass(slots=True)
class CustomHeaders:
    """`lines` are ready for the wire; the others stand for fields, or for lines of ours.

    `names` of all of them, in lower case.
    """

    lines: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    date: str | None = None
    sender: Mailbox | None = None
    reply_to: str | None = None
    message_id: str | None = None


def read(fields: Mapping[str, Values] | None, problems: Problems) -> CustomHeaders:
    """Check and write `headers`.

    Reply-To and Message-ID count as replyTo and message.messageId, because documents written for
    the Firebase extension may have them here.
    """
    found = CustomHeaders()
    for name, value in (fields or {}).items():
        values = lines(value)
        key = name.lower()
        if fault := name_fault(name) or _reserved(key):
            problems.add(path("headers", name), fault)
        elif key in _ONCE and (len(values) > 1 or key in found.names):
            problems.add(path("headers", name), "must be given once")
        else:
            _add_all(found, name, values, problems)
        found.names.add(key)
    return found


def name_fault(name: str) -> str | None:
    """Tell what is wrong with a header's name."""
    if _NAME.fullmatch(name):
        return None
    return "is no header name: at most 70 printable ASCII characters without colon and spaces"


def _reserved(key: str) -> str | None:
    if key in _FIELD_FOR:
        return f"is not allowed: use the field {_FIELD_FOR[key]}"
    if key in _RESERVED or key.startswith(_RESERVED_PREFIXES):
        return "is not allowed: this header is not the document's to set"
    return None


def _add_all(found: CustomHeaders, name: str, values: list[str], problems: Problems) -> None:
    for value in values:
        try:
            _add(found, name, value)
        except ValueError as error:
            problems.add(path("headers", name), str(error))


def _add(found: CustomHeaders, name: str, value: str) -> None:
    key = name.lower()
    if key == "reply-to":
        found.reply_to = value
    elif key == "message-id":
        found.message_id = value
    elif key == "date":
        found.date = _date(value)
    elif key == "sender":
        found.sender = _sender(value)
    elif key in _STRUCTURED:
        found.lines.append(headers.verbatim(name, value))
    else:
        found.lines.append(headers.unstructured(name, value))


def _date(text: str) -> str:
    if not _DATE.fullmatch(text.strip()):
        raise ValueError('must look like "Tue, 5 Mar 2024 09:30:00 +0100"')
    return text.strip()


def _sender(text: str) -> Mailbox:
    found = address_list.parse([text])
    if len(found.mailboxes) != 1 or found.invalid:
        raise ValueError("must be one valid address")
    return found.mailboxes[0]

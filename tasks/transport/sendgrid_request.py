"""A letter → the request of SendGrid's v3 mail/send, and its answer → outcome: pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from config.sendgrid import SendGridApi
from config.web_api import Answer
from tasks.envelope import Mail, Rejection
from tasks.errors import MailError, NoConnection, Permanent, Transient, UnknownOutcome
from tasks.letter import File, Letter, Person
from tasks.outcome import Outcome


#: "There is a limit of 1000 total recipients (to + cc + bcc) per request."
MAX_RECIPIENTS = 1000
_NOT_ASCII = "SendGrid takes no address with characters beyond ASCII before the @"
_UNAUTHORIZED, _FORBIDDEN, _TIMEOUT, _TOO_MANY, _UNAVAILABLE = 401, 403, 408, 429, 503
#: From here on something failed on its side, perhaps after it had taken the mail.
_IN_DOUBT = 500
#: Of the API's words, no more than this is repeated.
_SHOWN = 500
#: The longest wait that we let ourselves be asked for.
_LONGEST_WAIT = 3600.0


def split(mail: Mail) -> tuple[list[str], list[Rejection]]:
    """Part the recipients SendGrid can be told from the others; the same one is told once.

    Raises Permanent when it cannot take the mail at all.
    """
    if not mail.sender.isascii():
        raise Permanent(f"{mail.sender}: {_NOT_ASCII}")
    refused = [Rejection(each, None, _NOT_ASCII) for each in mail.recipients if not each.isascii()]
    told = [each for each in mail.recipients if each.isascii()]
    if len(told) > MAX_RECIPIENTS:
        raise Permanent(f"{len(told)} recipients; SendGrid takes {MAX_RECIPIENTS} in one mail")
    return told, refused


def body(letter: Letter, recipients: Iterable[str]) -> bytes:
    """Write the request."""
    options = dict(letter.send_grid)
    each = {
        name: options.pop(name)
        for name in ("dynamic_template_data", "custom_args")
        if name in options
    }
    request: dict[str, Any] = {
        "personalizations": [
            {**who, **each} for who in _personalizations(letter, list(recipients))
        ],
        "from": _person(letter.sender),
        "headers": dict(letter.headers),
        **options,
    }
    if len(letter.reply_to) == 1:
        request["reply_to"] = _person(letter.reply_to[0])
    elif letter.reply_to:
        request["reply_to_list"] = [_person(person) for person in letter.reply_to]
    if letter.subject:
        request["subject"] = letter.subject
    if letter.forms:
        request["content"] = [{"type": form.type, "value": form.text} for form in letter.forms]
    if letter.files:
        request["attachments"] = [_file(file) for file in letter.files]
    if letter.categories:
        request["categories"] = list(letter.categories)
    return json.dumps(request, allow_nan=False, separators=(",", ":")).encode("ascii")


def outcome(mail: Mail, told: list[str], refused: list[Rejection], answer: Answer) -> Outcome:
    """Make the outcome of a mail that was taken."""
    id = answer.headers.get("x-message-id", "")
    rejected = (*mail.rejected, *refused)
    return Outcome(
        accepted=tuple(told),
        rejected=tuple(each.recipient for each in rejected),
        errors=rejected,
        response=f"{answer.status} X-Message-Id: {id}" if id else str(answer.status),
    )


def error(api: SendGridApi, answer: Answer) -> MailError:
    """Make the error of a mail that was not taken, with the API's words."""
    status = answer.status
    words, about_mail = _words(answer.body)
    words = "(its words hold the key)" if api.key and api.key in words else words[:_SHOWN]
    said = f"{status} {words}".strip()
    if status == _UNAUTHORIZED or (status == _FORBIDDEN and not about_mail):
        text = f"{api} refused the key of {api.variable}: {said}"
        return NoConnection(text, code=status, response=said)
    text = f"{api} did not take the mail: {said}"
    if status == _TOO_MANY:
        wait = _seconds(answer.headers.get("retry-after", ""))
        asked = f"; it asks to wait {wait:.0f} s" if wait else ""
        return Transient(f"{text}{asked}", code=status, response=said, retry_after=wait)
    if status in (_TIMEOUT, _UNAVAILABLE):
        return Transient(text, code=status, response=said)
    if status >= _IN_DOUBT:
        text = f"{api} failed with the mail in hand: {said} (it may have been sent)"
        return UnknownOutcome(text, code=status, response=said)
    return Permanent(text, code=status, response=said)


def _personalizations(letter: Letter, recipients: list[str]) -> list[dict[str, Any]]:
    """Say who gets it; everybody once, in whatever spelling, as the API demands.

    It wants a `to` in any case: without one, those of `cc` take its place; if there are only
    hidden recipients, each gets a mail of his own.
    """
    left = {address.lower(): address for address in recipients}
    to, cc = _shown(letter.to, left), _shown(letter.cc, left)
    bcc = [{"email": address} for address in left.values()]
    if not to:
        to, cc = cc, []
    if not to:
        return [{"to": [one]} for one in bcc]
    others = {"cc": cc, "bcc": bcc}
    return [{"to": to, **{name: people for name, people in others.items() if people}}]


def _shown(people: Iterable[Person], left: dict[str, str]) -> list[dict[str, str]]:
    return [_person(each) for each in people if left.pop(each.address.lower(), None)]


def _person(person: Person) -> dict[str, str]:
    named = {"name": person.name} if person.name else {}
    return {"email": person.address, **named}


def _file(file: File) -> dict[str, str]:
    written = {
        "filename": file.name,
        "type": file.type,
        "disposition": file.disposition,
        "content": file.content,
    }
    return {**written, "content_id": file.content_id} if file.content_id else written


def _words(body: bytes) -> tuple[str, bool]:
    """Read an error; also tell whether it is about something in the mail."""
    try:
        errors = json.loads(body)["errors"]
        said = [(str(each["message"]), each.get("field")) for each in errors]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        said = [(body.decode("utf-8", "replace"), None)] if body else []
    text = "; ".join(f"{words} ({field})" if field else words for words, field in said)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line, any(field for _, field in said)


def _seconds(text: str) -> float:
    """RFC 9110 10.2.3 also knows a date, which SendGrid does not send."""
    return min(float(text), _LONGEST_WAIT) if text.isdecimal() else 0.0

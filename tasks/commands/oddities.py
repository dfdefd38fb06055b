"""What is allowed in a document, and hardly meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from tasks.delivery.states import WAITING
from tasks.envelope import Mail
from tasks.errors import Problem
from tasks.mail import Defaults, address_list
from tasks.mail.problems import path, quote
from tasks.mail.schema import (
    Alternative,
    Attachment,
    CalendarEvent,
    Document,
    ListHeaders,
    Message,
    SendGrid,
    StatusNotification,
)


#: How alike two names must be (0 to 1): `atachments` and `attachments` are 0.95.
_ALIKE = 0.85
_ONES: dict[tuple[str, ...], type[BaseModel]] = {
    (): Document,
    ("message",): Message,
    ("list",): ListHeaders,
    ("dsn",): StatusNotification,
    ("sendGrid",): SendGrid,
    ("message", "icalEvent"): CalendarEvent,
}
_LISTS: dict[tuple[str, ...], type[BaseModel]] = {
    ("message", "attachments"): Attachment,
    ("message", "alternatives"): Alternative,
}
_MOST_SHOWN = 10


def of_document(document: Mapping[str, Any], *, stored: bool) -> list[Problem]:
    """List names that look misspelt, and times and states with which it is not sent."""
    found = list(_names(document))
    send_at, before = document.get("sendAt"), document.get("deliverBefore")
    if type(send_at) is type(before) and send_at is not None and before <= send_at:
        found.append(Problem("deliverBefore", "is not after sendAt: the mail is never sent"))
    delivery = document.get("delivery")
    state = delivery.get("state") if isinstance(delivery, Mapping) else None
    if not stored and state is not None and state not in WAITING and not isinstance(state, list):
        found.append(Problem("delivery.state", "holds the mail back: only PENDING is sent"))
    return found


def of_mail(
    mail: Mail, document: Mapping[str, Any], defaults: Defaults, *, known_sender: bool
) -> list[Problem]:
    """List what is odd about a mail that can be sent."""
    found = [
        Problem("to, cc, bcc", f"{quote(each.recipient)} gets nothing: {each.response}")
        for each in mail.rejected[:_MOST_SHOWN]
    ]
    message = document.get("message")
    html_alone = isinstance(message, Mapping) and message.get("html") and not message.get("text")
    if html_alone and not defaults.text_from_html:
        found.append(
            Problem("message.text", "is missing: readers without HTML see nothing (TEXT_FROM_HTML)")
        )
    ours = address_list.parse([defaults.sender]).mailboxes[0].domain.lower()
    theirs = mail.sender.rpartition("@")[2].lower()
    if known_sender and not _related(ours, theirs):
        what = f"is of {theirs}, DEFAULT_FROM of {ours}: SPF and DKIM must allow your server"
        found.append(Problem("from", what))
    return found


def _related(one: str, other: str) -> bool:
    return f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")


def _names(document: Mapping[str, Any]) -> Iterator[Problem]:
    for key, model in _ONES.items():
        yield from _misspelt(key, _at(document, key), model)
    for key, model in _LISTS.items():
        parts = _at(document, key)
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            yield from _misspelt((*key, index), part, model)


def _misspelt(key: tuple[str | int, ...], value: Any, model: type[BaseModel]) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        return
    known = _fields(model)
    unknown = [name for name in value if isinstance(name, str) and name not in known]
    for name in unknown[:_MOST_SHOWN]:
        if model is Document and name.lower() in _OF_MESSAGE:
            yield _not_looked_at((name,), f"message.{_OF_MESSAGE[name.lower()]}")
        elif meant := _similar(name, known):
            yield _not_looked_at((*key, name), meant)


def _not_looked_at(key: tuple[str | int, ...], meant: str) -> Problem:
    return Problem(path(*key), f"is not looked at: did you mean {meant}?")


def _by_lower(names: list[str]) -> dict[str, str]:
    return {each.lower(): each for each in names}


def _fields(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _similar(name: str, known: list[str]) -> str | None:
    if same := _by_lower(known).get(name.lower()):
        return same
    found = difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE)
    return found[0] if found else None


def _at(document: Mapping[str, Any], key: tuple[str, ...]) -> Any:
    value: Any = document
    for name in key:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


#: A subject beside `message`, say, is the commonest mistake of all.
_OF_MESSAGE = _by_lower(_fields(Message))

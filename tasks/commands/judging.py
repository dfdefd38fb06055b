"""What is wrong with a document, and what is odd about it, without asking any server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from config.settings import Settings
from tasks.commands import oddities
from tasks.commands.given import Given
from tasks.composing import profiles
from tasks.errors import InvalidDocument, MailError, Problem, ProblemCode
from tasks.mail import Defaults, compose, wanted
from tasks.mail.elsewhere import Place
from tasks.mail.gathered import File, Gathered, Wanted
from tasks.mail.problems import kind
from tasks.mail.profiles import name
from tasks.mail.schema import Message


#: Stands for whatever is fetched when the mail is sent; an event may be fetched, too.
_SOME_FILE = File(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "file")
_SOME_ADDRESS = "user@example.com"
#: Of a template nothing is known but that it is there.
_SOME_TEXTS = Message(subject="a subject", text="a text")
#: When there are no settings.
_ANYBODY = Defaults("sender@example.com")


@dataclass(frozen=True, slots=True)
class Judgement:
    """`problems`: with these it is not sent; `unlisted`: how many more there are."""

    problems: list[Problem]
    unlisted: int = 0
    oddities: list[Problem] = field(default_factory=list)


def judge(given: Given, settings: Settings | None, now: datetime) -> Judgement:
    """Compose it; what has to be fetched is taken for there. Without settings, all is allowed."""
    document = {"_id": 0, **given.document}
    ours = _profile(document, settings)
    needs = wanted(document)
    before = [] if given.stored else _of_delivery(document.get("delivery"))
    odd = oddities.of_document(document, stored=given.stored)
    try:
        mail = compose(document, ours, now=now, gathered=_assumed(needs, settings))
    except InvalidDocument as error:
        return Judgement([*before, *error.details], error.unlisted, odd)
    except MailError as error:
        path, _, text = str(error).partition(" ")
        return Judgement([*before, Problem(path, text)], 0, odd)
    odd += oddities.of_mail(mail, document, ours, known_sender=settings is not None)
    return Judgement(before, 0, odd)


def _profile(document: Mapping[str, Any], settings: Settings | None) -> Defaults:
    if settings is not None:
        return profiles(settings, "").of(document)
    asked = document.get("transport")
    return replace(
        _ANYBODY,
        transports=(name(asked),) if isinstance(asked, str) else _ANYBODY.transports,
        letters=document.get("sendGrid") is not None,
    )


def _of_delivery(delivery: Any) -> list[Problem]:
    if delivery is None:
        return []
    if not isinstance(delivery, Mapping):
        what = f"must be a map, not {kind(delivery)}"
        return [Problem("delivery", what, ProblemCode.WRONG_TYPE)]
    if isinstance(delivery.get("state"), list):
        what = "must be a string, not a list"
        return [Problem("delivery.state", what, ProblemCode.WRONG_TYPE)]
    return []


def _assumed(needs: Wanted, settings: Settings | None) -> Gathered:
    allowed = set(Place) if settings is None else _places(settings)
    users = settings is None or settings.users_collection is not None
    templates = settings is None or settings.templates_collection is not None
    return Gathered(
        dict.fromkeys(needs.uids, _SOME_ADDRESS) if users else None,
        {each.key: _SOME_FILE for each in needs.files if each.where.place in allowed},
        _SOME_TEXTS if templates else None,
    )


def _places(settings: Settings) -> set[Place]:
    return {place for place in Place if getattr(settings, place.value.lower()) is not None}

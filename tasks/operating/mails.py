"""One mail as people look at it, whatever a service wrote into the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from pymongo.collection import Collection

from config.mongo import Document
from tasks.delivery import states
from tasks.delivery.states import State
from tasks.operating import ids
from tasks.operating.filters import DEFAULT_TRANSPORT, NEW


#: Characters of a text, and items of a list, that a line of a table needs.
SHORT, FEW = 500, 20

#: What a list of mails is made of: no bodies, no attachments.
PROJECTION: Document = {
    "delivery": 1,
    **dict.fromkeys(("to", "cc", "bcc", "toUids", "ccUids", "bccUids", "from"), 1),
    **dict.fromkeys(("priority", "transport", "sendAt", "idempotencyKey"), 1),
    "message.subject": 1,
    "template.name": 1,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said about one recipient."""

    recipient: str
    #: "accepted", "rejected" (for good), "pending" (for now)
    outcome: str
    code: int | None = None
    response: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """What stands in a document; a field of a wrong type counts as absent. `document` has all."""

    id: Any
    #: NEW when there is none yet; a state of the users' own as it is.
    state: str
    #: As they stand in to, cc and bcc; `uids`: how many users beside them.
    recipients: tuple[str, ...]
    uids: int
    subject: str | None
    template: str | None
    transport: str
    priority: str
    start: datetime | None
    end: datetime | None
    next_attempt: datetime | None
    lease_until: datetime | None
    attempts: int | None
    error: str | None
    waits_for: str | None
    #: Nobody knows whether somebody has got it.
    in_doubt: bool
    message_id: str | None
    response: str | None
    answers: tuple[Answer, ...]
    worker: str | None
    phase: str | None
    document: Document

    @classmethod
    def of(cls, document: Document) -> Mail:
        """Read a document; never raises for what stands in it."""
        delivery = states.subdocument(document)
        info = _map(delivery.get("info"))
        message, template = _map(document.get("message")), _map(document.get("template"))
        uids = (document.get(name) for name in ("toUids", "ccUids", "bccUids"))
        return cls(
            id=document["_id"],
            state=_state(document),
            recipients=tuple(_addresses(document)),
            uids=sum(len(each) for each in uids if isinstance(each, list)),
            subject=_string(message.get("subject")),
            template=_string(template.get("name")),
            transport=_string(document.get("transport")) or DEFAULT_TRANSPORT,
            priority=_string(document.get("priority")) or "normal",
            start=_time(delivery.get("startTime")),
            end=_time(delivery.get("endTime")),
            next_attempt=_time(delivery.get("nextAttemptTime")),
            lease_until=_time(delivery.get("leaseExpireTime")),
            attempts=_number(delivery.get("attempts")),
            error=_string(delivery.get("error")),
            waits_for=_string(delivery.get("waitsFor")),
            in_doubt=_in_doubt(delivery),
            message_id=_string(info.get("messageId")),
            response=_string(info.get("response")),
            answers=tuple(_answers(delivery, info)),
            worker=_string(delivery.get("worker")),
            phase=_string(delivery.get("phase")),
            document=document,
        )

    @property
    def name(self) -> str:
        """The `_id` as text."""
        return ids.write(self.id)

    @property
    def is_settled(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state not in (NEW, State.PENDING, State.RETRY, State.PROCESSING)

    @property
    def seconds(self) -> float | None:
        """From when the watcher saw it to its end."""
        if self.start is None or self.end is None:
            return None
        return (self.end - self.start).total_seconds()


def get(mails: Collection[Document], id: Any) -> Mail | None:
    """Read one mail, bodies and all. Raises PyMongoError."""
    found = mails.find_one({"_id": id})
    return None if found is None else Mail.of(found)


def named(mails: Collection[Document], text: str) -> list[Any]:
    """Find the ids that a person means by a text: none, one, or two that look alike.

    Raises PyMongoError.
    """
    found = mails.find({"_id": {"$in": ids.candidates(text)}}, {"_id": 1})
    return [each["_id"] for each in found]


def _state(document: Document) -> str:
    value = document.get("delivery")
    if value is None:
        return NEW
    if isinstance(value, DBRef) or not isinstance(value, Mapping):
        return "malformed"
    state = value.get("state")
    if state is None:
        return NEW
    return state if isinstance(state, str) else "malformed"


def _in_doubt(delivery: Mapping[str, Any]) -> bool:
    if delivery.get("state") != State.ERROR:
        return False
    if (
        delivery.get("inDoubt") not in (None, False)
        or delivery.get("error") == states.LEASE_EXPIRED
    ):
        return True
    accepted = _map(delivery.get("info")).get("accepted")
    return isinstance(accepted, list) and bool(accepted)


def _addresses(document: Document) -> list[str]:
    found: list[str] = []
    for name in ("to", "cc", "bcc"):
        value = document.get(name)
        found += [
            each
            for each in (value if isinstance(value, list) else [value])
            if isinstance(each, str)
        ]
    return found


def _answers(delivery: Mapping[str, Any], info: Mapping[str, Any]) -> list[Answer]:
    errors = delivery.get("errors")
    reasons = {
        each["recipient"]: each
        for each in (errors if isinstance(errors, list) else [])
        if isinstance(each, Mapping) and isinstance(each.get("recipient"), str)
    }
    found = []
    for outcome in ("accepted", "rejected", "pending"):
        recipients = info.get(outcome)
        for recipient in recipients if isinstance(recipients, list) else []:
            if isinstance(recipient, str):
                why = _map(reasons.get(recipient)) if outcome != "accepted" else {}
                code, words = _number(why.get("code")), _string(why.get("response"))
                found.append(Answer(recipient, outcome, code, words))
    return found


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if number and abs(value) < 2**53 else None


def _time(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) and not isinstance(value, DatetimeMS) else None

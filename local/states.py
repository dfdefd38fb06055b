"""The states of mails as they change, read from a change stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bson import json_util
from pymongo.change_stream import CollectionChangeStream
from pymongo.collection import Collection

from config.mongo import Document


INSERTED = "INSERTED"
DELIVERED = "SUCCESS"
FINAL = (DELIVERED, "ERROR")

#: What is looked at, without the bodies.
_PIPELINE: list[Document] = [
    {"$match": {"operationType": {"$in": ["insert", "update", "replace"]}}},
    {
        "$project": {
            "fullDocument.message.text": 0,
            "fullDocument.message.html": 0,
            "fullDocument.message.attachments": 0,
        }
    },
]
_WAIT_MILLISECONDS = 200


@dataclass(frozen=True, slots=True)
class Change:
    """A document came into a state; `error` says why, for ERROR."""

    #: See `key`.
    key: str
    state: str
    at: datetime
    #: The subject where the event has it, else the `_id`.
    name: str
    error: str | None = None


@dataclass(slots=True)
class Track:
    """One mail's way: the first time of each state."""

    id: Any
    name: str
    times: dict[str, datetime] = field(default_factory=dict)
    state: str = INSERTED
    error: str | None = None

    @property
    def finished(self) -> bool:
        """Whether it has come to an end."""
        return self.state in FINAL

    def add(self, change: Change) -> None:
        """Go to the next state."""
        self.state, self.error = change.state, change.error
        self.times.setdefault(change.state, change.at)

    def milliseconds(self, at: datetime) -> int | None:
        """Count from the insert; None when that was not seen."""
        start = self.times.get(INSERTED)
        return None if start is None else round((at - start).total_seconds() * 1000)


def key(id: Any) -> str:
    """Write an `_id` so that it can be looked up; it may be of any BSON type, a map too."""
    return json_util.dumps(id)


def watch(mails: Collection[Document]) -> CollectionChangeStream[Document]:
    """Open the stream; its `try_next` waits a fifth of a second at most."""
    return mails.watch(_PIPELINE, max_await_time_ms=_WAIT_MILLISECONDS)


def read(event: Document) -> Change | None:
    """Take an event apart; None when it does not change the state."""
    document = event.get("fullDocument")
    if document is None:
        delivery = _updated(event["updateDescription"]["updatedFields"])
    else:
        delivery = document.get("delivery")
    delivery = delivery if isinstance(delivery, dict) else {}
    state = delivery.get("state")
    if state is None and event["operationType"] == "insert":
        state = INSERTED
    if not isinstance(state, str):
        return None
    error = delivery.get("error")
    return Change(
        key=key(event["documentKey"]["_id"]),
        state=state,
        at=event.get("wallTime") or datetime.now(UTC),  # MongoDB before 6.0 has no wallTime
        name=_name(document or {}) or key(event["documentKey"]["_id"]),
        error=error if isinstance(error, str) else None,
    )


def _updated(fields: Document) -> Document:
    """Collect the new values below `delivery`, set as a whole or by dotted keys."""
    whole = fields.get("delivery")
    dotted = {
        key.removeprefix("delivery."): value
        for key, value in fields.items()
        if key.startswith("delivery.")
    }
    return {**(whole if isinstance(whole, dict) else {}), **dotted}


def _name(document: Document) -> str | None:
    message = document.get("message")
    subject = message.get("subject") if isinstance(message, dict) else None
    return subject if isinstance(subject, str) else None

"""A document that may have to be enqueued, as the watcher last saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeGuard

import bson
from bson.datetime_ms import DatetimeMS

from config.mongo import Document
from tasks import lanes
from tasks.delivery.states import WAITING
from tasks.lanes import Lane


#: A date beyond the year 9999 is a DatetimeMS.
Time = datetime | DatetimeMS

#: What a Candidate is read from; the watcher's stream projects the same of an event.
PROJECTION: Document = {
    "priority": 1,
    "sendAt": 1,
    "state": "$delivery.state",
    "nextAttemptTime": "$delivery.nextAttemptTime",
    "waitsFor": "$delivery.waitsFor",
    "kind": {"$type": "$delivery"},
}


#: Bytes of the largest `_id` as BSON. A thousand ids go into one query, fifty into one message.
LARGEST_ID = 4096


class Kind(Enum):
    """What has to be written so that the document waits to be sent."""

    NEW = "new"  #: no `delivery`, or null
    BARE = "bare"  #: a `delivery` without state
    WAITING = "waiting"  #: PENDING or RETRY stands there already
    MALFORMED = "malformed"  #: `delivery` is no map, or its state a list
    OTHER = "other"  #: done, in work, or a state of the users' own


@dataclass(frozen=True, slots=True)
class Candidate:
    """`bson_type` is that of `delivery`, as $type names it ("missing" when there is none).

    `rescheduled`: `sendAt` was changed or removed, so a nextAttemptTime made of it is out of date.
    """

    id: Any
    bson_type: str
    state: Any = None
    priority: Any = None
    send_at: Any = None
    next_attempt: Any = None
    waits_for: Any = None
    rescheduled: bool = False

    @classmethod
    def of(cls, found: Document, *, rescheduled: bool = False) -> Candidate:
        """Read what PROJECTION selects."""
        return cls(
            found["_id"],
            found.get("kind", "missing"),
            found.get("state"),
            found.get("priority"),
            found.get("sendAt"),
            found.get("nextAttemptTime"),
            found.get("waitsFor"),
            rescheduled,
        )

    @property
    def lane(self) -> Lane:
        """The queue it belongs to."""
        return lanes.of(self.priority)

    @property
    def id_is_too_large(self) -> bool:
        """Whether its `_id` would burst a query or a message."""
        return len(key(self.id)) > LARGEST_ID

    @property
    def kind(self) -> Kind:
        """What has to be written."""
        if self.bson_type in ("missing", "null", "undefined"):
            return Kind.NEW
        if self.bson_type != "object" or isinstance(self.state, list):
            return Kind.MALFORMED
        if self.state is None:
            return Kind.BARE
        return Kind.WAITING if self.state in WAITING else Kind.OTHER

    def due(self, now: datetime) -> Time | None:
        """Tell from when on it may be sent, when that is still to come."""
        if self.send_at is None and self.next_attempt is None:
            return None
        planned = None if self.rescheduled else self.next_attempt
        times: list[Time] = [time for time in (self.send_at, planned) if _is_after(time, now)]
        return max(times, key=milliseconds, default=None)


def _is_after(time: Any, now: datetime) -> TypeGuard[Time]:
    return isinstance(time, datetime | DatetimeMS) and milliseconds(time) > milliseconds(now)


def milliseconds(time: Time) -> int:
    """Give a time since 1970, as the server keeps it."""
    return int(time if isinstance(time, DatetimeMS) else DatetimeMS(time))


def key(id: Any) -> bytes:
    """Make a dictionary key of an id of any BSON type (a subdocument is not hashable)."""
    return bson.encode({"": id})

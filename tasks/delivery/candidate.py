"""A document that may have to be enqueued, as the watcher last saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeGuard

from bson.datetime_ms import DatetimeMS

from config.mongo import Document
from tasks import lanes
from tasks.delivery import ids
from tasks.delivery.ids import Which
from tasks.delivery.states import WAITING
from tasks.lanes import Lane


#: The kind of a `delivery` that is one; $type calls it an object.
DBREF = "DBRef"
#: A date beyond the year 9999 is a DatetimeMS.
Time = datetime | DatetimeMS


def projection(document: str) -> Document:
    """Select what a Candidate is read from; `document`: its path, "$" or "$fullDocument.".

    Of each field no more than counts: a value of 15 MB in its place would be read a thousand times
    over.
    """
    state = f"{document}delivery.state"
    return {
        "priority": _one_of(f"{document}priority", [Lane.HIGH.value, Lane.LOW.value]),
        "sendAt": _time(f"{document}sendAt"),
        "state": {
            "$switch": {
                "branches": [
                    {"case": {"$in": [state, WAITING]}, "then": state},
                    {"case": {"$lte": [state, None]}, "then": None},
                    {"case": {"$isArray": state}, "then": []},
                ],
                "default": "another",
            }
        },
        "nextAttemptTime": _time(f"{document}delivery.nextAttemptTime"),
        "waitsFor": {"$gt": [f"{document}delivery.waitsFor", None]},
        "kind": _kind(f"{document}delivery"),
    }


def _one_of(path: str, values: list[str]) -> Document:
    return {"$cond": [{"$in": [path, values]}, path, None]}


def _kind(path: str) -> Document:
    """Name the type; the driver reads a map with `$ref` as a DBRef."""
    ref = {"$getField": {"field": {"$literal": "$ref"}, "input": path}}
    return {"$cond": [{"$eq": [{"$type": ref}, "string"]}, DBREF, {"$type": path}]}


def _time(path: str) -> Document:
    return {"$cond": [{"$eq": [{"$type": path}, "date"]}, path, None]}


PROJECTION = projection("$")


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

    `waited`: for its turn, or for the server. `rescheduled`: `sendAt` was changed or removed, so a
    nextAttemptTime made of it is out of date.
    """

    id: Any
    bson_type: str
    state: Any = None
    priority: Any = None
    send_at: Any = None
    next_attempt: Any = None
    waited: bool = False
    rescheduled: bool = False
    #: Why its `_id` does not name it (`id` is None then), and what does, as the sweep has found it.
    fault: str | None = None
    stored: Which | None = None

    @classmethod
    def of(cls, found: Document, *, rescheduled: bool = False) -> Candidate:
        """Read what PROJECTION selects, by `ids.read` or an ordinary find."""
        return cls(
            found["_id"],
            found.get("kind", "missing"),
            found.get("state"),
            found.get("priority"),
            found.get("sendAt"),
            found.get("nextAttemptTime"),
            found.get("waitsFor", False),
            rescheduled,
            found.get("fault") or ids.fault(found["_id"]),
            found.get("stored"),
        )

    @property
    def lane(self) -> Lane:
        """The queue it belongs to."""
        return lanes.of(self.priority)

    @property
    def which(self) -> Which:
        """The query that names it."""
        return {"_id": self.id} if self.stored is None else self.stored

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

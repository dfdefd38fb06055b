"""A document that may have to be enqueued, as the watcher last saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import bson

from config.mongo import Document
from tasks import lanes
from tasks.delivery.states import WAITING
from tasks.lanes import Lane


#: What a Candidate is read from; the watcher's stream projects the same of an event.
PROJECTION: Document = {
    "priority": 1,
    "sendAt": 1,
    "state": "$delivery.state",
    "kind": {"$type": "$delivery"},
}


class Kind(Enum):
    """What has to be written so that the document waits to be sent."""

    NEW = "new"  #: no `delivery`, or null
    BARE = "bare"  #: a `delivery` without state
    WAITING = "waiting"  #: PENDING or RETRY stands there already
    MALFORMED = "malformed"  #: `delivery` is no map
    OTHER = "other"  #: done, in work, or a state of the users' own


@dataclass(frozen=True, slots=True)
class Candidate:
    """`bson_type` is that of `delivery`, as $type names it ("missing" when there is none)."""

    id: Any
    bson_type: str
    state: Any = None
    priority: Any = None
    send_at: Any = None

    @classmethod
    def of(cls, found: Document) -> Candidate:
        """Read what PROJECTION selects."""
        return cls(
            found["_id"],
            found.get("kind", "missing"),
            found.get("state"),
            found.get("priority"),
            found.get("sendAt"),
        )

    @property
    def lane(self) -> Lane:
        """The queue it belongs to."""
        return lanes.of(self.priority)

    @property
    def kind(self) -> Kind:
        """What has to be written."""
        if self.bson_type in ("missing", "null", "undefined"):
            return Kind.NEW
        if self.bson_type != "object":
            return Kind.MALFORMED
        if self.state is None:
            return Kind.BARE
        return Kind.WAITING if self.state in WAITING else Kind.OTHER

    def due(self, now: datetime) -> datetime | None:
        """Return `sendAt` when that is still to come."""
        time = self.send_at
        return time if isinstance(time, datetime) and time > now else None


def key(id: Any) -> bytes:
    """Make a dictionary key of an id of any BSON type (a subdocument is not hashable)."""
    return bson.encode({"": id})

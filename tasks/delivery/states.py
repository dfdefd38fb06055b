"""What stands in `delivery`: states, phases, and the texts that are compared again later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bson.datetime_ms import DatetimeMS

from config.mongo import Document


class State(StrEnum):
    """`delivery.state`; any other value is the users' own and left alone."""

    PENDING = "PENDING"  #: waits to be sent
    PROCESSING = "PROCESSING"  #: a worker has it, until `leaseExpireTime`
    SUCCESS = "SUCCESS"  #: the server took it for at least one recipient
    ERROR = "ERROR"  #: nothing was sent, or nobody knows: `error` says which
    RETRY = "RETRY"  #: written by users: send it (again)


class Phase(StrEnum):
    """`delivery.phase`, while PROCESSING."""

    CLAIMED = "CLAIMED"  #: nothing has been sent yet
    SENDING = "SENDING"  #: past the point of no return: DATA may have reached the server


#: States a worker may claim; None: no `delivery` yet.
CLAIMABLE: list[str | None] = [None, State.PENDING, State.RETRY]
WAITING: list[str] = [State.PENDING, State.RETRY]
IS_WAITING: dict[str, Any] = {"$in": WAITING}

LEASE_EXPIRED = "Message processing lease expired."
#: An attempt whose outcome nobody has written down: in work, or only its lease has run out.
#: RETRY: LEASE_EXPIRED=retry, and the next attempt has not begun. A RETRY without that error is
#: a user's wish, made after the attempt began.
UNDECIDED: list[dict[str, Any]] = [
    {"delivery.state": State.PROCESSING},
    {"delivery.state": {"$in": [State.ERROR, State.RETRY]}, "delivery.error": LEASE_EXPIRED},
]
LOST_TOO_OFTEN = (
    "Given up: {count} workers ended while they prepared this mail, before anything was sent. "
    "Look at the workers' logs for this id, then set delivery.state to RETRY."
)
UNREADABLE = (
    "the document cannot be read: it holds binary data or a value whose length is not what it says"
)
#: Claims lost before anything was sent, after which the document counts as deadly.
MAX_LOST_CLAIMS = 3

_TYPE_NAMES = {
    "object": "map", "array": "list", "bool": "boolean", "int": "number", "long": "number",
    "double": "number", "decimal": "number", "binData": "binary", "objectId": "ObjectId",
}  # fmt: skip


def pending(
    now: datetime,
    ttl: timedelta | None,
    *,
    enqueued: bool,
    due: datetime | DatetimeMS | None = None,
) -> Document:
    """Make the `delivery` of a new mail.

    `due` (sendAt) goes into nextAttemptTime; `enqueued` says that its id is published right after.
    """
    delivery: Document = {
        "state": State.PENDING.value,
        "startTime": now,
        "endTime": None,
        "error": None,
        "attempts": 0,
        "leaseExpireTime": None,
        "info": None,
        "enqueueTime": now if enqueued else None,
    }
    if due is not None:
        delivery["nextAttemptTime"] = due
    if ttl is not None:
        delivery["expireAt"] = expire_time(now, ttl)
    return delivery


def expire_time(now: datetime, ttl: timedelta | None) -> datetime | None:
    """Tell when a mail that ends now may be removed; None: never."""
    return None if ttl is None else now + ttl


def wrong_type(bson_type: str) -> str:
    """Say that `delivery` is no map; `bson_type` as MongoDB's $type names it."""
    name = _TYPE_NAMES.get(bson_type, bson_type)
    return f"delivery must be a map, not a {name}; remove it and insert the document again"


def subdocument(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the document's `delivery`, empty when it has none."""
    delivery = document.get("delivery")
    return delivery if isinstance(delivery, Mapping) else {}

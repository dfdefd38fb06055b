"""The indexes: of the sweep over the few that still wait; of people over what they look for.

What people look for costs every mail: `python -m bench.index_cost` measures how much.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.collection import Collection

from tasks.delivery.keys import COLLECTION
from tasks.delivery.states import State
from tasks.delivery.wishes import CANCELLED, DRAFT


#: Serves the queries of the sweep and the feeder. The partial filter keeps finished mails out
#: of it; a query must name ONE of these states to use it ($in falls back to a collection scan).
LIVE = "mailtrigger_waiting"
#: Mails that wait for a time, by it. An index of its own, because it is asked every second, and a
#: scan of LIVE goes over the entries of all mails that were finished lately: WiredTiger keeps a
#: deleted entry until its page leaves the cache.
DUE = "mailtrigger_due"
FIELDS = {
    LIVE: ("delivery.state", "priority", "delivery.nextAttemptTime", "delivery.enqueueTime"),
    DUE: ("delivery.state", "priority", "delivery.nextAttemptTime"),
}
#: All mails that a watcher has seen, newest first.
TIMELINE = "mailtrigger_timeline"
#: Mails that went wrong or were taken aside, newest first. Most mails are never in it.
ASIDE = "mailtrigger_aside"
ASIDE_STATES: list[str] = [State.ERROR, CANCELLED, DRAFT]
#: When mails came to their end, and how long they took; all that `throughput` asks is in it.
ENDED = "mailtrigger_ended"
#: Ends finished mails at their `expireAt`. A mail that still waits is never removed.
#: Mails that are kept for ever cost it nothing.
EXPIRY = "mailtrigger_expire"

#: A query must name it to use an index over dates.
FIRST_DATE = datetime.min.replace(tzinfo=UTC)

MODELS = [
    IndexModel(
        [(name, ASCENDING) for name in FIELDS[LIVE]],
        name=LIVE,
        partialFilterExpression={
            "delivery.state": {"$in": [None, State.PENDING, State.RETRY, State.PROCESSING]}
        },
    ),
    IndexModel(
        [(name, ASCENDING) for name in FIELDS[DUE]],
        name=DUE,
        partialFilterExpression={
            "delivery.state": {"$in": [State.PENDING, State.RETRY]},
            "delivery.nextAttemptTime": {"$gte": FIRST_DATE},
        },
    ),
    IndexModel(
        [("delivery.expireAt", ASCENDING)],
        name=EXPIRY,
        expireAfterSeconds=0,
        partialFilterExpression={
            "delivery.state": {"$in": [State.SUCCESS, State.ERROR]},
            "delivery.expireAt": {"$gte": FIRST_DATE},
        },
    ),
    IndexModel(
        [("delivery.startTime", DESCENDING), ("_id", DESCENDING)],
        name=TIMELINE,
        partialFilterExpression={"delivery.startTime": {"$gte": FIRST_DATE}},
    ),
    IndexModel(
        [("delivery.state", ASCENDING), ("delivery.startTime", DESCENDING), ("_id", DESCENDING)],
        name=ASIDE,
        partialFilterExpression={"delivery.state": {"$in": ASIDE_STATES}},
    ),
    IndexModel(
        [
            ("delivery.endTime", DESCENDING),
            ("delivery.state", ASCENDING),
            ("delivery.startTime", ASCENDING),
        ],
        name=ENDED,
        partialFilterExpression={"delivery.endTime": {"$gte": FIRST_DATE}},
    ),
]


#: Of versions before this one; nothing asks them any more.
_OLD = ("mailtrigger_live", "mailtrigger_expiry")


def drop_old(mails: Collection[dict[str, Any]]) -> None:
    """Remove what only older versions use; a leading watcher does so. Raises PyMongoError."""
    for name in mails.index_information().keys() & set(_OLD):
        mails.drop_index(name)


def ensure(mails: Collection[dict[str, Any]]) -> list[str]:
    """Make the indexes that are missing; return the names of all. Raises PyMongoError."""
    keys = mails.database[f"{mails.name}.{COLLECTION}"]
    keys.create_index("expireAt", name="mailtrigger_expiry", expireAfterSeconds=0)
    return mails.create_indexes(MODELS)

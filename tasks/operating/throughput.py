"""The last hour by minute: how many mails ended, how, and how long they took."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo.collection import Collection
from pymongo.errors import ExecutionTimeout

from config.mongo import Document
from tasks.delivery.indexes import ENDED
from tasks.delivery.states import State


#: Seconds that the whole may take; minutes for which there was no time are None.
PATIENCE = 5.0
#: Latencies are put together in classes, each so much wider than the one before: a percentile is
#: right to 10 %.
_WIDER = 1.1
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Minute:
    """What ended within a minute. Latencies of SUCCESS from startTime to endTime, in seconds."""

    start: datetime
    sent: int
    failed: int
    p50: float | None
    p95: float | None
    p99: float | None


def last_hour(
    mails: Collection[Document], now: datetime, *, minutes: int = 60, seconds: float = PATIENCE
) -> list[Minute | None]:
    """Read the minutes until `now`, oldest first; the last is not over yet.

    The youngest are read first; None: there was no time for it. Costs some 4 µs for each mail that
    ended: who asks again and again keeps the minutes that are over, and reads the others by
    `minute`. Raises PyMongoError.
    """
    deadline = time.monotonic() + seconds
    last = now.replace(second=0, microsecond=0)
    found: list[Minute | None] = []
    for number in range(minutes):
        left = deadline - time.monotonic()
        found.append(minute(mails, last - number * _MINUTE, left) if left > 0 else None)
    return found[::-1]


def minute(mails: Collection[Document], start: datetime, seconds: float) -> Minute | None:
    """Read one minute; one that is over stays as it is. Raises PyMongoError."""
    try:
        groups = list(
            mails.aggregate(_pipeline(start), hint=ENDED, maxTimeMS=max(int(seconds * 1000), 1))
        )
    except ExecutionTimeout:
        return None
    sent = [(each["_id"].get("class"), each["n"]) for each in groups if _is_sent(each)]
    total = sum(number for _, number in sent)
    classes = sorted((c, n) for c, n in sent if isinstance(c, int | float))
    return Minute(
        start,
        total,
        sum(each["n"] for each in groups) - total,
        *(_percentile(classes, share) for share in (0.5, 0.95, 0.99)),
    )


def _is_sent(group: Document) -> bool:
    return bool(group["_id"]["state"] == State.SUCCESS)


def _pipeline(start: datetime) -> list[Document]:
    milliseconds = {"$subtract": ["$delivery.endTime", "$delivery.startTime"]}
    are_dates = {
        "$and": [
            {"$eq": [{"$type": f"$delivery.{name}"}, "date"]} for name in ("startTime", "endTime")
        ]
    }
    # ln(milliseconds) / ln(_WIDER), cut off
    class_: Document = {"$trunc": {"$log": [{"$max": [milliseconds, 1]}, _WIDER]}}
    return [
        {
            "$match": {
                "delivery.endTime": {"$gte": start, "$lt": start + _MINUTE},
                "delivery.state": {"$in": [State.SUCCESS.value, State.ERROR.value]},
            }
        },
        {
            "$group": {
                "_id": {
                    "state": "$delivery.state",
                    "class": {"$cond": [are_dates, class_, None]},
                },
                "n": {"$sum": 1},
            }
        },
    ]


def _percentile(classes: Iterable[tuple[float, int]], share: float) -> float | None:
    known = list(classes)
    wanted = share * sum(number for _, number in known)
    seen = 0
    for power, number in known:
        seen += number
        if seen >= wanted:
            middle: float = _WIDER ** (power + 0.5) / 1000
            return middle
    return None

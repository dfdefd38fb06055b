"""Ranges of the indexes over waiting mails, said by their two ends.

A query on several fields of `delivery` narrows an index by all of them only until the first
document whose `delivery` is a list: from then on the index counts as multikey, for ever, and the
server narrows by the first field alone. With `min` and `max` it goes over exactly this range.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from config.mongo import Document
from tasks.delivery.indexes import DUE, FIELDS, LIVE
from tasks.delivery.states import State
from tasks.lanes import Lane


#: Where the server's order of all values goes on after null, and where its dates begin, as far as
#: the driver can say it.
_AFTER_NULL = float("nan")
_FIRST_DATE = datetime.min.replace(tzinfo=UTC)
_LAST_DATE = datetime.max.replace(tzinfo=UTC, microsecond=999_000)
_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """The waiting mails of one value of `priority`; of all other values, when `is_odd`."""

    lane: Lane
    priority: Any = None
    is_odd: bool = False

    def never_enqueued(self, state: State | None) -> tuple[Document, dict[str, Any]]:
        """Find, oldest first, those that wait for nothing but their turn."""
        query: Document = {
            "delivery.state": state,
            "delivery.nextAttemptTime": None,
            "delivery.enqueueTime": None,
        }
        return self._find(LIVE, query, (None, None), (None, _AFTER_NULL))

    def enqueued(
        self, state: State, since: datetime | None, before: datetime
    ) -> tuple[Document, dict[str, Any]]:
        """Find, oldest first, those whose ids were published between two times."""
        since = since or _FIRST_DATE
        query: Document = {
            "delivery.state": state,
            "delivery.nextAttemptTime": None,
            "delivery.enqueueTime": {"$gte": since, "$lt": before},
        }
        return self._find(LIVE, query, (None, since), (None, before))

    def planned(self, state: State) -> tuple[Document, dict[str, Any]]:
        """Find those that wait for a time, in order of their times."""
        query: Document = {
            "delivery.state": state,
            "delivery.nextAttemptTime": {"$gte": _FIRST_DATE, "$lt": _LAST_DATE},
        }
        return self._find(DUE, query, (_FIRST_DATE,), (_LAST_DATE,))

    def due(self, state: State, now: datetime) -> tuple[Document, dict[str, Any]]:
        """Find those whose time has come, in order of their times."""
        query: Document = {
            "delivery.state": state,
            "delivery.nextAttemptTime": {"$gte": _FIRST_DATE, "$lte": now},
        }
        return self._find(DUE, query, (_FIRST_DATE,), (now + _TICK,))

    def _find(
        self, index: str, query: Document, first: tuple[Any, ...], end: tuple[Any, ...]
    ) -> tuple[Document, dict[str, Any]]:
        if self.is_odd:
            # Not a range, but few: a worker makes an ERROR of them.
            return {**query, "priority": {"$nin": _USUAL_VALUES}}, {"hint": index}
        common = (query["delivery.state"], self.priority)
        keys = {"min": (*common, *first), "max": (*common, *end)}
        bounds = {name: dict(zip(FIELDS[index], key, strict=True)) for name, key in keys.items()}
        return query, {"hint": index, **bounds}


_USUAL_VALUES = [None, *(lane.value for lane in Lane)]
USUAL = [
    Span(Lane.HIGH, Lane.HIGH.value),
    Span(Lane.NORMAL, None),
    Span(Lane.NORMAL, Lane.NORMAL.value),
    Span(Lane.LOW, Lane.LOW.value),
]
#: Anything else belongs to the normal lane.
ODD = Span(Lane.NORMAL, is_odd=True)
ALL = [*USUAL, ODD]

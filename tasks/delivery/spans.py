"""Ranges of the live index, said by their two ends.

A query on several fields of `delivery` narrows the index by all of them only until the first
document whose `delivery` is a list: from then on the index counts as multikey, for ever, and the
server narrows by the first field alone. With `min` and `max` it goes over exactly this range.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson.datetime_ms import DatetimeMS
from bson.max_key import MaxKey
from bson.min_key import MinKey

from tasks.delivery.indexes import LIVE, LIVE_FIELDS
from tasks.delivery.states import State
from tasks.lanes import Lane


_EARLIEST = DatetimeMS(-(2**63))
#: Follows null in the server's order of all values.
_AFTER_NULL = float("nan")
_TICK = timedelta(milliseconds=1)

#: The end of a key: nextAttemptTime and enqueueTime.
_Times = tuple[Any, Any]
_FIRST: _Times = (MinKey(), MinKey())
_LAST: _Times = (MaxKey(), MaxKey())


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbours in the index by `priority`: one value (`after` = `before`), or those between."""

    lane: Lane
    after: Any
    before: Any

    def options(self, state: State | None, first: _Times, end: _Times) -> dict[str, Any]:
        """Make the options of a find: from the first times to those before the end.

        Between two values of `priority` the times have no order: all of them are in the range.
        """
        if self.after != self.before:
            first = _FIRST if self.after == MinKey() else _LAST
            end = _LAST if self.before == MaxKey() else _FIRST
        low, high = (state, self.after, *first), (state, self.before, *end)
        return {
            "hint": LIVE,
            "min": dict(zip(LIVE_FIELDS, low, strict=True)),
            "max": dict(zip(LIVE_FIELDS, high, strict=True)),
        }


def _value(lane: Lane, value: Any) -> Span:
    return Span(lane, value, value)


#: What services write.
USUAL = [
    _value(Lane.HIGH, Lane.HIGH.value),
    _value(Lane.NORMAL, None),
    _value(Lane.NORMAL, Lane.NORMAL.value),
    _value(Lane.LOW, Lane.LOW.value),
]
_MARKS: list[Any] = [MinKey(), None, Lane.HIGH.value, Lane.LOW.value, Lane.NORMAL.value, MaxKey()]
#: Everything else: a worker makes it an ERROR.
ODD = [Span(Lane.NORMAL, after, before) for after, before in itertools.pairwise(_MARKS)]
ALL = USUAL + ODD


def never_enqueued() -> tuple[_Times, _Times]:
    """Mails that wait for nothing but their turn."""
    return (None, None), (None, _AFTER_NULL)


def enqueued_before(time: datetime) -> tuple[_Times, _Times]:
    """Mails whose ids were published before a time."""
    return (None, _EARLIEST), (None, time)


def due_at(now: datetime) -> tuple[_Times, _Times]:
    """Mails whose time has come."""
    return (_EARLIEST, MinKey()), (now + _TICK, MinKey())

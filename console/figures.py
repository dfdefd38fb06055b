"""Counts by state and the last hour, kept so that looking again costs little."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pymongo.collection import Collection

from config.mongo import Document
from tasks.clock import Now
from tasks.operating import counts, throughput
from tasks.operating.filters import NEW
from tasks.operating.records import moment
from tasks.operating.throughput import Minute


#: Minutes that are read anew: an outcome is written up to a fail-over (21 s) after its endTime.
_OPEN = 3
_HOUR = 60
_MINUTE = timedelta(minutes=1)


class Figures:
    """What stands above the table. Every method may raise PyMongoError."""

    def __init__(self, mails: Collection[Document], now: Now) -> None:
        self._mails = mails
        self._now = now
        self._minutes: dict[datetime, Minute] = {}

    def counts(self) -> dict[str, Any]:
        """Count by state."""
        found = counts.by_state(self._mails)
        return {"states": found.states, "other": found.other, "total": found.total, "new": NEW}

    def hour(self) -> list[dict[str, Any] | None]:
        """Give the last hour by minute, oldest first; None: there was no time for it."""
        now = self._now()
        last = now.replace(second=0, microsecond=0)
        starts = [last - number * _MINUTE for number in reversed(range(_HOUR))]
        missing = [
            number for number, start in enumerate(starts[::-1]) if start not in self._minutes
        ]
        wanted = max(_OPEN, *(number + 1 for number in missing), 0)
        for minute in throughput.last_hour(self._mails, now, minutes=wanted):
            if minute is not None:
                self._minutes[minute.start] = minute
        self._minutes = {start: self._minutes[start] for start in starts if start in self._minutes}
        return [_record(self._minutes.get(start)) for start in starts]


def _record(minute: Minute | None) -> dict[str, Any] | None:
    if minute is None:
        return None
    return {
        "start": moment(minute.start),
        "sent": minute.sent,
        "failed": minute.failed,
        "p50": minute.p50,
        "p95": minute.p95,
        "p99": minute.p99,
    }

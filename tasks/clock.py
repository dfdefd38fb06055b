"""The time of the MongoDB primary, so that leases mean the same on every machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError


#: Seconds after which the difference to the server is measured again.
REFRESH = 60.0
#: Seconds between two tries while the server is away: each may take a while to fail.
_AGAIN = 5.0

#: A fresh reading of the server's clock.
Now = Callable[[], datetime]


class ServerClock:
    """The server's wall clock, carried on by this machine's monotonic clock in between.

    A jump of the local wall clock changes nothing. `hello.localTime` has milliseconds; half the
    round trip is the error. Threads may share it.
    """

    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self._client = client
        #: The server's time at a time.monotonic(): one value, so that no thread sees half of it.
        self._reading: tuple[datetime, float] | None = None
        self._next = float("-inf")

    def __call__(self) -> datetime:
        """Tell the time in UTC, to the millisecond; the first call may raise PyMongoError."""
        reading = self._reading
        if reading is None or time.monotonic() > self._next:
            reading = self._measure(reading)
        base, measured = reading
        now = base + timedelta(seconds=time.monotonic() - measured)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _measure(self, last: tuple[datetime, float] | None) -> tuple[datetime, float]:
        before = time.monotonic()
        if last is not None:
            self._next = before + _AGAIN  # the other threads go on with the last reading
        try:
            reply = self._client.admin.command("hello")
        except PyMongoError:
            if last is None:
                raise
            return last  # still good: monotonic clocks drift by milliseconds
        after = time.monotonic()
        local_time: datetime = reply["localTime"]
        self._reading = (local_time.replace(tzinfo=UTC), (before + after) / 2)
        self._next = after + REFRESH
        return self._reading

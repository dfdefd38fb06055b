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

#: A fresh reading of the server's clock.
Now = Callable[[], datetime]


class ServerClock:
    """The server's wall clock, carried on by this machine's monotonic clock in between.

    A jump of the local wall clock changes nothing. `hello.localTime` has milliseconds; half the
    round trip is the error.
    """

    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self._client = client
        self._base = datetime.min.replace(tzinfo=UTC)
        self._measured = float("-inf")

    def __call__(self) -> datetime:
        """Tell the time in UTC, to the millisecond; the first call may raise PyMongoError."""
        if time.monotonic() - self._measured > REFRESH:
            self._measure()
        now = self._base + timedelta(seconds=time.monotonic() - self._measured)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _measure(self) -> None:
        before = time.monotonic()
        try:
            reply = self._client.admin.command("hello")
        except PyMongoError:
            if self._measured == float("-inf"):
                raise
            return  # the last reading is still good: monotonic clocks drift by milliseconds
        after = time.monotonic()
        base: datetime = reply["localTime"]
        self._base = base.replace(tzinfo=UTC)
        self._measured = (before + after) / 2

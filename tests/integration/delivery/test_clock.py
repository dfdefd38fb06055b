"""The primary's time, whatever this machine's wall clock says."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure

from tasks.clock import ServerClock
from tests.support.application import eventually
from tests.support.failpoint import failing


def test_it_is_the_servers_time_in_milliseconds(mongo_client: MongoClient[dict[str, Any]]) -> None:
    """Aware, in UTC, with nothing below the millisecond, as BSON has it; here the same clock."""
    now = ServerClock(mongo_client)()

    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=1)


def test_it_never_goes_back(mongo_client: MongoClient[dict[str, Any]]) -> None:
    """Between two measurements it is carried on by the monotonic clock."""
    now = ServerClock(mongo_client)
    times = [now() for _ in range(1000)]

    assert times == sorted(times)


def test_a_measurement_holds_up_one_thread_only(
    mongodb_uri: str, mongo_client: MongoClient[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go on with the last reading while the server is slow to answer."""
    with MongoClient[dict[str, Any]](mongodb_uri, appname="clock") as client:
        now = ServerClock(client)
        now()
        monkeypatch.setattr(now, "_next", float("-inf"))
        slow = {"blockConnection": True, "blockTimeMS": 1000, "appName": "clock"}
        with failing(mongo_client, "hello", times=5, **slow):
            measuring = threading.Thread(target=now)
            measuring.start()
            eventually("measuring", lambda: now._next > 0)
            started = time.monotonic()
            now()
            taken = time.monotonic() - started
            measuring.join()

    assert taken < 0.2


def test_without_the_server_the_last_reading_goes_on(
    mongodb_uri: str, mongo_client: MongoClient[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A primary that is away stops no clock, and is not asked at every look."""
    with MongoClient[dict[str, Any]](
        mongodb_uri, appname="clock", retryReads=False, serverSelectionTimeoutMS=500
    ) as client:
        now = ServerClock(client)
        first = now()
        monkeypatch.setattr(now, "_next", float("-inf"))
        with failing(mongo_client, "hello", times=50, closeConnection=True, appName="clock"):
            later = [now() for _ in range(100)]

    assert first <= later[0] <= later[-1] < first + timedelta(seconds=5)


def test_the_first_reading_must_succeed() -> None:
    """There is no time to go on with."""
    with (
        MongoClient[dict[str, Any]]("127.0.0.1", 1, serverSelectionTimeoutMS=10) as client,
        pytest.raises(ConnectionFailure),
    ):
        ServerClock(client)()

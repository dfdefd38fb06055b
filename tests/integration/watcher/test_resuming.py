"""Stopped, killed, without history: where a watcher goes on, and what it finds."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
from pymongo import MongoClient

from tests.support.application import Application, eventually
from tests.support.failpoint import failing
from tests.support.queue_messages import (
    count,
    doubles,
    ids,
    take_all,
    wait_for_everything_before_now,
    wait_until_queued,
)


def checkpoint(application: Application) -> dict[str, Any]:
    """Read the leader's document: lease and resume token."""
    leases = application.mails.database[f"{application.mails.name}.watcher"]
    return leases.find_one({"_id": "leader"}) or {}


def set_token(application: Application, token: Any) -> None:
    leases = application.mails.database[f"{application.mails.name}.watcher"]
    leases.update_one({"_id": "leader"}, {"$set": {"token": token}})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_clean_and_quick(application: Application, number: signal.Signals) -> None:
    """Exit code 0 within 2 s, the token saved behind the last event, the leadership free."""
    watcher = application.watcher()
    wait_for_everything_before_now(application)
    started = time.monotonic()

    watcher.signal(number)
    assert watcher.wait(5)

    assert watcher.returncode == 0
    assert time.monotonic() - started < 2
    saved = checkpoint(application)
    assert saved["owner"] is None
    assert saved["token"]
    assert "Traceback" not in watcher.log.read_text()


def test_after_a_restart_only_what_is_new_is_enqueued(application: Application) -> None:
    """Inserted and asked for while it was down: once each. What was done before: not again."""
    first = application.watcher()
    done = application.insert(50)
    wait_until_queued(application, *done)
    assert first.stop() == 0
    take_all(application)
    new = application.insert(50)
    again = done[:5]
    application.mails.update_many(
        {"_id": {"$in": again}}, {"$set": {"delivery.state": "RETRY"}, "$unset": {"x": ""}}
    )

    application.watcher(SWEEP_SECONDS="600")
    wait_until_queued(application, *new, *again)
    wait_for_everything_before_now(application)

    found = ids(application)
    assert doubles(found) == []
    # The sweep at the start may find those enqueued before it, with the queue empty: harmless.
    assert set(found) >= {*new, *again}


def test_after_a_kill_nothing_is_lost(application: Application) -> None:
    """SIGKILL in the middle of a burst; the next leader brings in the rest."""
    first = application.watcher()
    inserted = application.insert(3000)
    eventually("some enqueued", lambda: ids(application))
    first.kill()
    inserted += application.insert(20)

    # Until the dead leader's lease has run out: 8 s.
    application.watcher()

    eventually("all enqueued", lambda: set(inserted) <= set(ids(application)), 20)
    assert application.states() == {"PENDING": 3020}


def test_an_idle_streams_token_advances(application: Application) -> None:
    """Otherwise it would age out of the oplog while nobody sends mail."""
    application.watcher()
    wait_for_everything_before_now(application)
    eventually("saved", lambda: checkpoint(application).get("token"))
    before = checkpoint(application)["token"]

    application.mails.database["other"].insert_one({})

    eventually("a later token", lambda: checkpoint(application)["token"]["_data"] > before["_data"])


def test_an_idle_watcher_writes_little(application: Application) -> None:
    """Its own saves must not make it save again: one write for each renewal of the lease.

    Takes 3 s, to see more than one renewal.
    """
    application.watcher()
    wait_for_everything_before_now(application)
    writes = 0
    leases = application.mails.database[f"{application.mails.name}.watcher"]

    with leases.watch(max_await_time_ms=100) as changes:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            writes += changes.try_next() is not None

    assert 1 <= writes <= 3


USELESS = [
    {"_data": "82"},
    {"_data": "not hexadecimal"},
    {"something": "else"},
]


@pytest.mark.parametrize("token", USELESS, ids=str)
def test_a_useless_token_is_given_up(application: Application, token: Any) -> None:
    """Garbage, or older than the oplog: it goes on from the present and finds what it missed."""
    first = application.watcher()
    wait_for_everything_before_now(application)
    assert first.stop() == 0
    take_all(application)
    set_token(application, token)
    missed = application.insert(20)
    [asked] = application.insert(delivery={"state": "SUCCESS"})
    application.mails.update_one({"_id": asked}, {"$set": {"delivery.state": "RETRY"}})

    second = application.watcher()

    wait_until_queued(application, *missed, asked)
    wait_for_everything_before_now(application)
    assert "watcher.history_lost" in second.log.read_text()
    eventually("a good token", lambda: checkpoint(application)["token"] not in (None, token))


@pytest.mark.parametrize("code", [286, 280, 10334])
def test_history_lost_while_it_runs(
    application: Application, mongo_client: MongoClient[dict[str, Any]], code: int
) -> None:
    """The stream ends with an error that forbids to resume: another is opened."""
    watcher = application.watcher()
    wait_for_everything_before_now(application)
    eventually("saved", lambda: checkpoint(application).get("token"))

    with failing(mongo_client, "getMore", errorCode=code, appName="mailtrigger-watcher"):
        eventually("noticed", lambda: "history_lost" in watcher.log.read_text())

    wait_for_everything_before_now(application)


def test_a_broken_connection_is_no_reason_to_stop(
    application: Application, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """Of the stream, of a write, of a find: it goes on, and nothing is lost."""
    application.watcher()
    wait_for_everything_before_now(application)

    inserted = []
    for command in ("getMore", "update", "find"):
        with failing(
            mongo_client, command, times=3, closeConnection=True, appName="mailtrigger-watcher"
        ):
            inserted += application.insert(10)
            wait_until_queued(application, *inserted)


@pytest.mark.parametrize("how", ["drop", "rename", "dropDatabase"])
def test_a_collection_that_went_away_comes_back(application: Application, how: str) -> None:
    """Dropped, renamed, or its database dropped: it watches the new one, with indexes."""
    application.watcher()
    wait_for_everything_before_now(application)
    mails = application.mails

    if how == "drop":
        mails.drop()
    elif how == "rename":
        mails.rename("archive")
    else:
        mails.database.client.drop_database(mails.database.name)
    new = application.insert(5)

    wait_until_queued(application, *new)
    eventually("indexes", lambda: "mailtrigger_waiting" in mails.index_information())
    wait_for_everything_before_now(application)
    assert all(count(application, id) <= 2 for id in new)

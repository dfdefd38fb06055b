"""The broker stopped, emptied, full: MongoDB is the queue, the broker only carries hints."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from local.processes import Server
from tasks.lanes import Lane
from tests.support.application import Application, eventually
from tests.support.queue_messages import (
    doubles,
    ids,
    take_all,
    wait_for_everything_before_now,
    wait_until_queued,
)


def token(application: Application) -> Any:
    leases = application.mails.database[f"{application.mails.name}.watcher"]
    return (leases.find_one() or {}).get("token")


def test_a_broker_that_is_away_loses_nothing(apart: Application, own_broker: Server) -> None:
    """The token stays before what was not published; leadership is kept; then all is published."""
    watcher = apart.watcher()
    wait_for_everything_before_now(apart)
    own_broker.stop()
    inserted = apart.insert(200)
    eventually("noticed", lambda: "waits_for_broker" in watcher.log.read_text())
    before = token(apart)
    apart.mails.database["other"].insert_one({})
    inserted += apart.insert(10)
    eventually("tries on", lambda: watcher.log.read_text().count("waits_for_broker") >= 3)

    assert token(apart) == before
    own_broker.start()

    wait_until_queued(apart, *inserted)
    assert doubles(ids(apart)) == []
    eventually("saved", lambda: token(apart) != before)
    assert "Traceback" not in watcher.log.read_text()


def test_a_watcher_stopped_while_the_broker_is_away_leaves_it_to_the_next(
    apart: Application, own_broker: Server
) -> None:
    """Exit code 0 within seconds; the token stands before what was not published."""
    watcher = apart.watcher()
    wait_for_everything_before_now(apart)
    own_broker.stop()
    inserted = apart.insert(20)
    eventually("noticed", lambda: "waits_for_broker" in watcher.log.read_text())

    started = time.monotonic()
    assert watcher.stop() == 0
    assert time.monotonic() - started < 6

    own_broker.start()
    apart.watcher()
    wait_until_queued(apart, *inserted)


def test_what_the_broker_lost_is_enqueued_again(application: Application) -> None:
    """The queues deleted: everything PENDING comes back within SWEEP_SECONDS + 5 s, once."""
    application.watcher(SWEEP_SECONDS="1")
    inserted = application.insert(1500) + application.insert(5, priority="high")
    wait_until_queued(application, *inserted)

    for lane in Lane:
        application.redis.delete(f"{application.settings.broker_prefix}{lane.queue}")

    eventually("all again", lambda: set(inserted) <= set(ids(application)), 6)
    assert doubles(ids(application)) == []


def test_a_flushed_broker_is_filled_again(apart: Application) -> None:
    """FLUSHALL takes kombu's own keys, too."""
    apart.watcher(SWEEP_SECONDS="1")
    inserted = apart.insert(50)
    wait_until_queued(apart, *inserted)

    apart.redis.flushall()

    wait_until_queued(apart, *inserted, seconds=6)
    wait_for_everything_before_now(apart)


def test_a_backlog_is_not_enqueued_twice(application: Application) -> None:
    """Nobody takes the messages for many sweeps: they are waiting, not lost.

    Takes 5 s: as long as a mail may be in a worker's hands, and some sweeps more.
    """
    watcher = application.watcher(SWEEP_SECONDS="0.2", LOG_LEVEL="DEBUG")
    inserted = application.insert(300)
    wait_until_queued(application, *inserted)
    first = application.delivery(inserted[0])["enqueueTime"]

    def sweeps_later() -> bool:
        [id] = application.insert()
        wait_until_queued(application, id)
        return bool(application.delivery(id)["enqueueTime"] - first > timedelta(seconds=4.5))

    eventually("4.5 s later", sweeps_later)

    assert doubles(ids(application)) == []
    assert '"why": "lost"' not in watcher.log.read_text()


def test_a_lost_mail_is_found_under_a_steady_load(application: Application) -> None:
    """Other mails never stop coming, the queue is never quiet: the lost one comes back.

    Takes 4 s: as long as a mail may be in a worker's hands, and a sweep.
    """
    application.watcher(SWEEP_SECONDS="0.5")
    [lost] = application.insert()
    wait_until_queued(application, lost)
    assert take_all(application) == [lost]

    def found_again() -> bool:
        application.insert(3)
        taken = take_all(application)
        done = {"$set": {"delivery.state": "SUCCESS"}}
        application.mails.update_many({"_id": {"$in": taken, "$ne": lost}}, done)
        return lost in taken

    eventually("found again", found_again, 8)


def test_a_full_queue_leaves_the_rest_in_mongodb(application: Application) -> None:
    """QUEUE_LIMIT: the rest is PENDING, never enqueued, and fed by age when there is room."""
    application.watcher(QUEUE_LIMIT="40", BATCH_SIZE="10", SWEEP_SECONDS="600")
    inserted: list[Any] = []
    for _ in range(10):
        inserted += application.insert(30)
    [urgent] = application.insert(priority="high")
    application.wait_for_all("PENDING", 301)
    wait_until_queued(application, urgent)

    in_queue = ids(application, Lane.NORMAL)
    assert 10 <= len(in_queue) <= 40
    waiting = application.mails.count_documents({"delivery.enqueueTime": None})
    assert waiting == 300 - len(in_queue)

    taken: list[Any] = []

    def all_taken() -> bool:
        taken.extend(take_all(application))
        return len(taken) >= 301

    eventually("all were fed", all_taken, 20)
    assert doubles(taken) == []
    normal = [id for id in taken if id != urgent]
    assert normal == sorted(normal) == inserted


def test_nothing_waits_behind_a_full_lane_of_lower_priority(application: Application) -> None:
    """A queue of low priority that is full does not close the others."""
    application.watcher(QUEUE_LIMIT="20", BATCH_SIZE="10")
    application.insert(200, priority="low")
    application.wait_for_all("PENDING", 200)

    new = application.insert(5) + application.insert(5, priority="high")

    wait_until_queued(application, *new)
    assert len(ids(application, Lane.LOW)) <= 20

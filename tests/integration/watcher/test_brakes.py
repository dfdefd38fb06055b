"""What the watcher keeps back: more than a limit lets out, and all while the server is away."""

from __future__ import annotations

import time

from tasks.lanes import Lane
from tasks.limits import keys
from tests.support.application import Application, eventually
from tests.support.queue_messages import ids, wait_until_queued


def _set_circuit(application: Application, *, seconds: float) -> None:
    """Open the circuit, as the workers do, until so many seconds from now."""
    circuit, _ = keys.circuit(application.settings.broker_prefix)
    until = int((time.time() + seconds) * 1000)
    application.redis.hset(circuit, mapping={"failures": 9, "until": until, "length": 1000})


def _close_circuit(application: Application) -> None:
    application.redis.delete(*keys.circuit(application.settings.broker_prefix))


def _all_pending(application: Application, count: int) -> None:
    query = {"delivery.state": "PENDING"}
    eventually("seen", lambda: application.mails.count_documents(query) == count)


def test_a_backlog_beyond_the_limit_stays_in_mongodb(application: Application) -> None:
    """What is free now and the turns of a few seconds are enqueued; high priority always is."""
    application.watcher(RATE_LIMIT="4/second")
    application.insert(300)
    _all_pending(application, 300)

    [high] = application.insert(priority="high")
    wait_until_queued(application, high)

    # 4 at once and 12 turns; while nobody asks for these, a few more with each look.
    assert len(ids(application)) < 150
    later = {"delivery.state": "PENDING", "delivery.enqueueTime": None}
    assert application.mails.count_documents(later) > 150


def test_without_a_limit_everything_is_enqueued(application: Application) -> None:
    """As long as the queue has room."""
    application.watcher()
    inserted = application.insert(300)

    wait_until_queued(application, *inserted)


def test_while_the_server_is_away_nothing_is_enqueued(application: Application) -> None:
    """New mails, and those whose time has come, wait whatever their priority."""
    _set_circuit(application, seconds=600)
    application.watcher()
    application.insert(20)
    application.insert(5, priority="high")
    application.insert(5, delivery={"state": "RETRY"})

    waiting = {"delivery.state": {"$in": ["PENDING", "RETRY"]}, "delivery.enqueueTime": None}
    eventually("seen", lambda: application.mails.count_documents(waiting) == 30)
    assert ids(application) == []


def test_one_mail_tries_it_when_the_time_is_over(application: Application) -> None:
    """The first by priority; no other until it is known how that went."""
    _set_circuit(application, seconds=600)
    application.watcher()
    application.insert(20)
    high = application.insert(3, priority="high")
    waiting = {"delivery.state": "PENDING", "delivery.enqueueTime": None}
    eventually("seen", lambda: application.mails.count_documents(waiting) == 23)

    _set_circuit(application, seconds=-1)
    eventually("one", lambda: application.queued(Lane.HIGH) == 1)
    [tried] = ids(application)
    assert tried in high

    _close_circuit(application)
    wait_until_queued(application, *application.mails.distinct("_id"))

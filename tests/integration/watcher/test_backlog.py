"""A long backlog: what waits in MongoDB comes in by priority and age, and nothing starves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.lanes import Lane
from tests.support.application import Application, eventually
from tests.support.queue_messages import doubles, ids, take_all, wait_until_queued


SHORT = {"QUEUE_LIMIT": "40", "BATCH_SIZE": "10"}


def test_mails_the_stream_never_brought_are_pending_at_once(application: Application) -> None:
    """The history is lost and the queue is full: all say that they wait, only some are enqueued."""
    application.insert(500)

    application.watcher(**SHORT)

    application.wait_for_all("PENDING", 500)
    assert len(ids(application)) <= 40


def test_a_priority_said_and_one_left_out_are_fed_side_by_side(application: Application) -> None:
    """Both are normal: 400 of the one kind do not keep the other waiting."""
    application.insert(400)
    [said] = application.insert(priority="normal")
    application.watcher(**SHORT)
    application.wait_for_all("PENDING", 401)
    taken: list[Any] = []

    def comes() -> bool:
        taken.extend(take_all(application))
        return said in taken

    eventually("it is enqueued", comes)

    assert len(taken) < 200


def test_a_due_mail_of_high_priority_does_not_wait_for_others_that_are_due(
    application: Application,
) -> None:
    """2,000 newsletters planned for an earlier time are still to be looked at when it is there."""
    past = datetime.now(UTC) - timedelta(hours=1)
    planned = {"state": "PENDING", "nextAttemptTime": past}
    application.insert(2000, priority="low", delivery=planned)
    later = {**planned, "nextAttemptTime": past + timedelta(minutes=1)}
    [urgent] = application.insert(priority="high", delivery=later)

    application.watcher(**SHORT)

    wait_until_queued(application, urgent)
    unseen = {"delivery.nextAttemptTime": past}
    assert application.mails.count_documents(unseen) > 1000


def test_the_queue_is_never_longer_than_its_limit(application: Application) -> None:
    """Whoever brings mails in, the stream or the feeder, sees what the other one has published."""
    application.watcher(**SHORT)
    longest = 0
    taken: list[Any] = []
    application.insert(600)

    def all_taken() -> bool:
        nonlocal longest
        longest = max(longest, len(ids(application, Lane.NORMAL)))
        if longest >= 20:
            taken.extend(take_all(application))
        return len(taken) >= 600

    eventually("all were fed", all_taken, 120)

    assert longest <= 40
    assert doubles(taken) == []

"""Mails that wait for their time: sendAt, and a nextAttemptTime of the user's own."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.application import Application, eventually
from tests.support.queue_messages import count, wait_until_queued


OLD = datetime(2026, 1, 1, tzinfo=UTC)


def soon(seconds: float) -> datetime:
    """A time by this machine's clock, which is mongod's, too."""
    now = datetime.now(UTC) + timedelta(seconds=seconds)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@pytest.mark.parametrize("delivery", [..., {"state": "PENDING"}, {"state": "RETRY"}], ids=repr)
def test_a_mail_waits_for_its_send_at(watched: Application, delivery: Any) -> None:
    """PENDING with nextAttemptTime, no message; enqueued when the time has come, not before."""
    time = soon(0.8)
    fields = {} if delivery is ... else {"delivery": delivery}
    [id] = watched.insert(sendAt=time, **fields)

    eventually("noted", lambda: watched.delivery(id).get("nextAttemptTime") == time)
    assert watched.delivery(id)["enqueueTime"] is None
    assert count(watched, id) == 0
    wait_until_queued(watched, id)

    assert watched.delivery(id)["enqueueTime"] >= time
    assert watched.delivery(id)["nextAttemptTime"] is None


def test_a_mail_is_enqueued_at_its_time(watched: Application) -> None:
    """Not at the next full second: the watcher knows the next time that is due."""
    times = [soon(0.5 + 0.37 * number) for number in range(7)]
    ids = [id for time in times for id in watched.insert(sendAt=time)]

    wait_until_queued(watched, *ids)

    enqueued = [watched.delivery(id)["enqueueTime"] for id in ids]
    late = [(at - time).total_seconds() for at, time in zip(enqueued, times, strict=True)]
    assert min(late) >= 0
    assert statistics.median(late) < 0.3


@pytest.mark.parametrize(
    "change",
    [{"$set": {"sendAt": OLD}}, {"$unset": {"sendAt": ""}}, [{"$set": {"sendAt": OLD}}]],
    ids=str,
)
def test_a_send_at_brought_forward_is_obeyed(watched: Application, change: Any) -> None:
    """Moved to the past or removed: sent now."""
    [id] = watched.insert(sendAt=soon(3600))
    eventually("noted", lambda: watched.delivery(id).get("nextAttemptTime"))

    watched.mails.update_one({"_id": id}, change)

    wait_until_queued(watched, id)


def test_a_send_at_put_off_is_obeyed(watched: Application) -> None:
    """Moved to a later time before the first came."""
    [id] = watched.insert(sendAt=soon(3600))
    eventually("noted", lambda: watched.delivery(id).get("nextAttemptTime"))
    later = soon(7200)

    watched.mails.update_one({"_id": id}, {"$set": {"sendAt": later}})

    eventually("put off", lambda: watched.delivery(id).get("nextAttemptTime") == later)
    assert count(watched, id) == 0


def test_retry_may_name_its_time(watched: Application) -> None:
    """RETRY with a nextAttemptTime to come waits for it."""
    [id] = watched.insert(delivery={"state": "ERROR"})
    time = soon(0.8)

    watched.mails.update_one(
        {"_id": id}, {"$set": {"delivery.state": "RETRY", "delivery.nextAttemptTime": time}}
    )

    wait_until_queued(watched, id)
    assert watched.delivery(id)["enqueueTime"] >= time

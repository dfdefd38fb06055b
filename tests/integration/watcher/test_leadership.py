"""One watcher leads, others stand by."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.application import Application, eventually
from tests.support.queue_messages import wait_for_everything_before_now, wait_until_queued
from watcher.leader import Leader, LostLeadershipError


def test_a_standby_takes_over_after_a_stop_at_once(application: Application) -> None:
    """SIGTERM frees the leadership; nothing inserted meanwhile is lost."""
    leader = application.watcher()
    standby = application.watcher()
    assert "stands_by" in standby.log.read_text()
    wait_for_everything_before_now(application)

    leader.stop()
    started = time.monotonic()
    new = application.insert(10)

    wait_until_queued(application, *new)
    assert time.monotonic() - started < 3
    assert standby.stop() == 0


def test_a_standby_takes_over_from_a_killed_leader(application: Application) -> None:
    """After SIGKILL within 10 s: the lease of 8 s and one look a second."""
    leader = application.watcher()
    application.watcher()
    wait_for_everything_before_now(application)

    leader.kill()
    started = time.monotonic()
    new = application.insert(10)

    wait_until_queued(application, *new, seconds=12)
    assert time.monotonic() - started < 10


def test_a_paused_leader_steps_down_when_it_wakes(application: Application) -> None:
    """Stopped for longer than its lease: its token is refused, it stands by; nothing is lost.

    Needs the 8 s of the lease.
    """
    leader = application.watcher()
    standby = application.watcher()
    wait_for_everything_before_now(application)

    leader.signal(signal.SIGSTOP)
    eventually("the other leads", lambda: "watcher.leads" in standby.log.read_text(), 12)
    leader.signal(signal.SIGCONT)

    eventually("steps down", lambda: "lost_leadership" in leader.log.read_text())
    eventually("stands by", lambda: "stands_by" in leader.log.read_text())
    wait_for_everything_before_now(application)


def test_a_standby_that_is_stopped_ends_at_once(application: Application) -> None:
    """Exit code 0, the leader undisturbed."""
    application.watcher()
    standby = application.watcher()

    started = time.monotonic()
    assert standby.stop() == 0

    assert time.monotonic() - started < 2
    wait_for_everything_before_now(application)


@pytest.fixture
def leaders(database: Database[dict[str, Any]]) -> tuple[Leader, Leader]:
    """Two watchers' leases on one collection."""
    return Leader(database["mail"]), Leader(database["mail"])


def expire(database: Database[dict[str, Any]]) -> None:
    """Let the lease have run out."""
    past = {"$subtract": ["$$NOW", 1]}
    database["mail.watcher"].update_one({}, [{"$set": {"expireTime": past}}])


def test_only_one_leads(leaders: tuple[Leader, Leader]) -> None:
    """Until it releases."""
    first, second = leaders
    assert first.acquire()
    assert not second.acquire()

    first.release()

    assert second.acquire()


def test_the_token_passes_from_leader_to_leader(leaders: tuple[Leader, Leader]) -> None:
    """As it was saved, also when its keys look like operators or paths."""
    first, second = leaders
    first.acquire()
    token = {"_data": "82AB", "a": "$b"}
    first.save(token)
    first.release()

    second.acquire()

    assert second.token == token


def test_an_overtaken_leader_cannot_save(
    database: Database[dict[str, Any]], leaders: tuple[Leader, Leader]
) -> None:
    """The fence: the old leader's token, renewal and release change nothing."""
    first, second = leaders
    first.acquire()
    first.save({"_data": "1"})
    expire(database)
    assert second.acquire()
    second.save({"_data": "2"})

    with pytest.raises(LostLeadershipError):
        first.save({"_data": "3"})
    first.release()

    lease = database["mail.watcher"].find_one() or {}
    assert (lease["owner"], lease["token"]) == (second.owner, {"_data": "2"})


def test_a_leader_that_could_not_release_leads_again_at_once(
    leaders: tuple[Leader, Leader],
) -> None:
    """MongoDB was away when it stepped down: it need not wait for its own lease to end."""
    first, second = leaders
    first.acquire()

    assert first.acquire()
    assert not second.acquire()


def test_a_lease_is_renewed_when_due(
    database: Database[dict[str, Any]], leaders: tuple[Leader, Leader]
) -> None:
    """Not at every step: a renewal is a majority write."""
    first, _ = leaders
    first.acquire()
    expire(database)
    before = database["mail.watcher"].find_one()

    first.renew_if_due()
    assert database["mail.watcher"].find_one() == before

    first._renewed -= 3
    first.renew_if_due()
    assert database["mail.watcher"].find_one() != before

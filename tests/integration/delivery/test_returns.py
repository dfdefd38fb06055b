"""Giving back: what goes back as if never claimed, now or after a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from tasks.delivery import spans
from tasks.delivery.claim import Claims
from tasks.delivery.returns import Returns, Waiting
from tasks.delivery.states import LEASE_EXPIRED, State
from tasks.delivery.sweep import Sweep
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of, insert_pending, must_claim
from tests.support.failpoint import failing


Mails = Collection[dict[str, Any]]


@pytest.fixture
def returns(mails: Mails, clock: SetClock) -> Returns:
    """Of a worker."""
    return Returns(mails, clock)


def test_released_mails_are_as_if_never_claimed(
    mails: Mails, claims: Claims, returns: Returns, clock: SetClock
) -> None:
    """PENDING, the attempt not counted, from either phase; others' documents untouched."""
    for id in ("a", "b", "other"):
        insert_pending(mails, clock(), id, attempts=2)
    before = delivery_of(mails, "a")
    claimed, sending = must_claim(claims, "a"), must_claim(claims, "b")
    claims.begin_sending([sending])
    other = must_claim(claims, "other", token="worker:2")
    now = clock.advance(1)

    returns.release([claimed, sending, other], enqueue_time=now)

    expected = {**before, "enqueueTime": now, "nextAttemptTime": None}
    assert delivery_of(mails, "a") == delivery_of(mails, "b") == expected
    assert delivery_of(mails, "other")["state"] == "PROCESSING"
    assert must_claim(claims, "a").attempt == 3


def test_a_release_without_an_answer_is_done_once(
    mongo_client: MongoClient[dict[str, Any]],
    mails: Mails,
    claims: Claims,
    returns: Returns,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tried again after a broken connection; doing it twice does not count down twice."""
    monkeypatch.setattr("tasks.delivery.returns._PAUSE", 0.001)
    insert_pending(mails, clock(), attempts=4)
    claim = must_claim(claims)

    with failing(
        mongo_client, "update", times=2, closeConnection=True, appName="mailtrigger-worker"
    ):
        returns.release([claim], enqueue_time=None)
    returns.release([claim], enqueue_time=None)

    delivery = delivery_of(mails)
    assert (delivery["state"], delivery["attempts"]) == ("PENDING", 4)
    assert delivery["enqueueTime"] is None


def test_a_release_takes_back_the_sweeps_verdict(
    mails: Mails, claims: Claims, returns: Returns, clock: SetClock, sweep: Sweep
) -> None:
    """The lease ran out in phase SENDING, but this worker knows that nothing was sent."""
    insert_pending(mails, clock())
    claim = must_claim(claims)
    claims.begin_sending([claim])
    clock.advance(61)
    sweep.end_leases(sweep.expired_leases(10))
    assert delivery_of(mails)["error"] == LEASE_EXPIRED

    returns.release([claim], enqueue_time=None)

    delivery = delivery_of(mails)
    assert delivery["state"] == "PENDING"
    assert delivery["error"] is delivery["endTime"] is None
    assert "inDoubt" not in delivery


@pytest.mark.parametrize("state", ["CANCELLED", "SUCCESS", "RETRY", "PENDING"])
def test_a_release_leaves_a_state_that_others_wrote(
    mails: Mails, claims: Claims, returns: Returns, clock: SetClock, state: str
) -> None:
    """What a user wrote meanwhile stands."""
    insert_pending(mails, clock())
    claim = must_claim(claims)
    mails.update_one({"_id": "mail"}, {"$set": {"delivery.state": state}})
    before = delivery_of(mails)

    returns.release([claim], enqueue_time=clock())

    assert delivery_of(mails) == before


def test_only_waiting_mails_are_stamped(mails: Mails, returns: Returns, clock: SetClock) -> None:
    """`stamp` notes when ids are published again; a finished mail has no such time."""
    insert_pending(mails, clock(), 1)
    insert_pending(mails, clock(), 2, state="SUCCESS")
    before = clock()
    now = clock.advance(9)

    returns.stamp([1, 2], now)

    assert delivery_of(mails, 1)["enqueueTime"] == now
    assert delivery_of(mails, 2)["enqueueTime"] == before


def test_a_postponed_mail_waits_for_its_time(
    mails: Mails, claims: Claims, returns: Returns, clock: SetClock
) -> None:
    """PENDING until then, with the reason, and the attempt not counted."""
    for id in ("a", "b"):
        insert_pending(mails, clock(), id)
    waiting = [
        Waiting(must_claim(claims, "a"), 5, "RATE_LIMIT"),
        Waiting(must_claim(claims, "b"), 50, "gmail.com"),
    ]
    now = clock.advance(1)

    returns.postpone(waiting)

    delivery = delivery_of(mails, "a")
    assert delivery["state"] == "PENDING"
    assert delivery["attempts"] == 0
    assert delivery["enqueueTime"] is delivery["leaseExpireTime"] is None
    assert delivery["nextAttemptTime"] == now + timedelta(seconds=5)
    assert delivery["waitsFor"] == "RATE_LIMIT"
    assert claims.claim("a", "worker:2") is None
    clock.advance(6)
    assert must_claim(claims, "a", token="worker:2").attempt == 1
    assert claims.claim("b", "worker:2") is None


def test_a_claim_of_another_attempt_is_not_postponed(
    mails: Mails, claims: Claims, returns: Returns, clock: SetClock
) -> None:
    """The fence holds: whoever lost the document cannot send it back."""
    insert_pending(mails, clock())
    lost = must_claim(claims)
    mails.update_one({"_id": "mail"}, {"$set": {"delivery.state": "RETRY"}})
    must_claim(claims, token="worker:2")
    before = delivery_of(mails)

    returns.postpone([Waiting(lost, 5, "RATE_LIMIT")])

    assert delivery_of(mails) == before


def test_one_document_without_room_does_not_hold_up_the_others(
    mails: Mails, claims: Claims, returns: Returns, clock: SetClock
) -> None:
    """Its reason does not fit in: it is moved aside, like any other document that is too large."""
    for id in ("full", "other"):
        insert_pending(mails, clock(), id)
    full, other = must_claim(claims, "full"), must_claim(claims, "other")
    document = mails.find_one({"_id": "full"})
    room = 16 * 1024 * 1024 - len(bson.encode({**(document or {}), "filler": ""}))
    mails.update_one({"_id": "full"}, {"$set": {"filler": "x" * room}})

    returns.postpone([Waiting(full, 5, "x" * 200), Waiting(other, 5, "x")])

    assert delivery_of(mails, "other")["state"] == "PENDING"
    assert "too large" in delivery_of(mails, "full")["error"]


def test_mails_that_nobody_claimed_are_held(
    mails: Mails, claims: Claims, returns: Returns, clock: SetClock, sweep: Sweep
) -> None:
    """Those that wait go back for a while, with the reason; what is in work or done does not."""
    for id in ("waits", "claimed", "other"):
        insert_pending(mails, clock(), id)
    insert_pending(mails, clock(), "done", state="SUCCESS")
    must_claim(claims, "claimed")
    before = [delivery_of(mails, id) for id in ("claimed", "done")]

    returns.hold(["waits", "claimed", "done", "gone"], 5, "a connection")

    clock.advance(5)
    found = sweep.due(State.PENDING, spans.USUAL[1], 10)
    assert [each.id for each in found] == ["waits"]
    assert found[0].waited
    assert delivery_of(mails, "waits")["waitsFor"] == "a connection"
    assert [delivery_of(mails, id) for id in ("claimed", "done")] == before

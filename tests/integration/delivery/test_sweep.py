"""What the leader finds by the clock: expired leases, due mails, lost and never enqueued ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from tasks.delivery import spans
from tasks.delivery.claim import Claims
from tasks.delivery.states import LEASE_EXPIRED, State
from tasks.delivery.sweep import Sweep
from tasks.lanes import Lane
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of, insert_pending, must_claim
from tests.support.failpoint import failing


Mails = Collection[dict[str, Any]]
NO_PRIORITY = spans.USUAL[1]


def run(sweep: Sweep) -> int:
    """End what has expired."""
    expired = sweep.expired_leases(100)
    return sweep.end_leases(expired) if expired else 0


def test_a_lease_that_holds_is_left_alone(
    mails: Mails, claims: Claims, clock: SetClock, sweep: Sweep
) -> None:
    """Up to its last millisecond."""
    insert_pending(mails, clock())
    must_claim(claims)

    clock.advance(59.999)
    assert run(sweep) == 0
    clock.advance(0.001)
    assert run(sweep) == 1


def test_a_mail_only_claimed_waits_again(
    mails: Mails, claims: Claims, clock: SetClock, sweep: Sweep
) -> None:
    """CLAIMED: nothing was sent, whatever LEASE_EXPIRED says; the attempt counts."""
    insert_pending(mails, clock())
    must_claim(claims)
    clock.advance(60)

    assert run(sweep) == 1

    delivery = delivery_of(mails)
    assert (delivery["state"], delivery["attempts"]) == ("PENDING", 1)
    assert delivery["leaseExpireTime"] is None
    assert delivery["error"] is None
    assert "phase" not in delivery
    assert must_claim(claims, token="worker:2").attempt == 2


def test_the_third_lost_claim_is_an_error(
    mails: Mails, claims: Claims, clock: SetClock, sweep: Sweep
) -> None:
    """The document kills workers: it says so, and RETRY starts the count anew."""
    insert_pending(mails, clock())
    for lost in (1, 2, 3):
        assert delivery_of(mails)["state"] == "PENDING", f"given up before claim {lost}"
        must_claim(claims, token=f"worker:{lost}")
        clock.advance(60)
        assert run(sweep) == 1

    delivery = delivery_of(mails)
    assert delivery["state"] == "ERROR"
    assert delivery["error"].startswith("Given up: 3 workers ended")
    assert delivery["endTime"] == clock()
    mails.update_one({"_id": "mail"}, {"$set": {"delivery.state": "RETRY"}})
    must_claim(claims, token="worker:4")
    clock.advance(60)
    run(sweep)
    assert delivery_of(mails)["state"] == "PENDING"


@pytest.mark.parametrize(("setting", "state"), [("error", "ERROR"), ("retry", "RETRY")])
@pytest.mark.parametrize("phase", ["SENDING", None, 5])
def test_a_mail_that_may_have_been_sent_ends_as_the_setting_says(
    mails: Mails, claims: Claims, clock: SetClock, setting: Any, state: str, phase: Any
) -> None:
    """Phase SENDING, none, or something else: the outcome is unknown."""
    sweep = Sweep(mails, clock, None, lease_expired=setting)
    insert_pending(mails, clock())
    must_claim(claims)
    mails.update_one({"_id": "mail"}, {"$set": {"delivery.phase": phase}})
    clock.advance(60)

    assert run(sweep) == 1

    delivery = delivery_of(mails)
    assert (delivery["state"], delivery["error"]) == (state, LEASE_EXPIRED)
    assert delivery["leaseExpireTime"] is None
    assert delivery["endTime"] == (clock() if state == "ERROR" else None)


LEASES: list[Any] = [None, "soon", 5, ["x"], {}, ...]


@pytest.mark.parametrize("lease", LEASES, ids=repr)
def test_processing_without_a_lease_is_settled(mails: Mails, sweep: Sweep, lease: Any) -> None:
    """PROCESSING written by a user, or by the Firebase extension: no mail is stuck for ever."""
    delivery = {"state": "PROCESSING"}
    mails.insert_one(
        {
            "_id": "mail",
            "delivery": delivery if lease is ... else {**delivery, "leaseExpireTime": lease},
        }
    )

    assert run(sweep) == 1

    assert delivery_of(mails)["error"] == LEASE_EXPIRED


def test_what_changed_since_the_query_is_respected(
    mails: Mails, claims: Claims, clock: SetClock, sweep: Sweep
) -> None:
    """Renewed, finished, claimed anew, passed the point of no return: not this sweep's any more."""
    changes: dict[str, dict[str, Any]] = {
        "renewed": {"delivery.leaseExpireTime": clock() + timedelta(seconds=200)},
        "finished": {"delivery.state": "SUCCESS"},
        "claimed anew": {"delivery.worker": "worker:2", "delivery.attempts": 2},
        "sending": {"delivery.phase": "SENDING"},
    }
    for id in changes:
        insert_pending(mails, clock(), id)
        must_claim(claims, id)
    clock.advance(60)
    expired = sweep.expired_leases(100)
    for id, change in changes.items():
        mails.update_one({"_id": id}, {"$set": change})
    before = {id: delivery_of(mails, id) for id in changes}

    assert sweep.end_leases(expired) == 0

    assert {id: delivery_of(mails, id) for id in changes} == before


def test_a_verdict_is_written_with_its_time_to_live(
    mails: Mails, claims: Claims, clock: SetClock
) -> None:
    """An ERROR of the sweep expires like any other."""
    sweep = Sweep(mails, clock, timedelta(hours=1), lease_expired="error")
    insert_pending(mails, clock())
    claims.begin_sending([must_claim(claims)])
    clock.advance(60)

    run(sweep)

    assert delivery_of(mails)["expireAt"] == clock() + timedelta(hours=1)


def test_a_majority_that_did_not_answer_is_raised(
    mongo_client: MongoClient[dict[str, Any]],
    mails: Mails,
    claims: Claims,
    clock: SetClock,
    sweep: Sweep,
) -> None:
    """The next round does it again."""
    insert_pending(mails, clock())
    must_claim(claims)
    clock.advance(60)
    late = {"code": 64, "errmsg": "timed out"}

    with (
        failing(mongo_client, "update", writeConcernError=late, appName="mailtrigger-worker"),
        pytest.raises(BulkWriteError),
    ):
        run(sweep)


def never_enqueued(sweep: Sweep, state: State | None, lane: Lane = Lane.NORMAL) -> Any:
    ours = [span for span in spans.ALL if span.lane is lane]
    sources = [sweep.unqueued(state, span, 100) for span in ours]
    return [candidate.id for source in sources for candidate in source.take()[0]]


def test_never_enqueued_mails_are_found_by_state_and_lane(
    mails: Mails, clock: SetClock, sweep: Sweep
) -> None:
    """Without delivery, PENDING and RETRY; anything but high and low is normal."""
    for number, priority in enumerate(["high", "normal", "low", None, 5, "urgent"]):
        mails.insert_one({"_id": number, "priority": priority})
        mails.insert_one(
            {"_id": number + 10, "priority": priority, "delivery": {"state": "PENDING"}}
        )
        mails.insert_one({"_id": number + 20, "priority": priority, "delivery": {"state": "RETRY"}})
        mails.insert_one({"_id": number + 30, "priority": priority, "delivery": {"state": "DRAFT"}})
    insert_pending(mails, clock(), "enqueued")

    for state, first in ((None, 0), (State.PENDING, 10), (State.RETRY, 20)):
        assert never_enqueued(sweep, state, Lane.HIGH) == [first]
        assert never_enqueued(sweep, state, Lane.LOW) == [first + 2]
        normal = sorted(never_enqueued(sweep, state))
        assert normal == [first + 1, first + 3, first + 4, first + 5]


@pytest.mark.parametrize("delivery", ["text", 5, None, {}, [{}]], ids=repr)
def test_a_delivery_without_any_state_is_found(mails: Mails, sweep: Sweep, delivery: Any) -> None:
    """So that a document of a wrong type, missed by the stream, still becomes an ERROR."""
    mails.insert_one({"_id": 1, "delivery": delivery})

    assert never_enqueued(sweep, None) == [1]


def test_lost_mails_are_those_enqueued_before_a_time_oldest_first(
    mails: Mails, clock: SetClock, sweep: Sweep
) -> None:
    """Not those that were never enqueued, not those that wait for their time."""
    for number in (3, 1, 2, 5):
        insert_pending(mails, clock(), number, enqueueTime=clock() + timedelta(seconds=number))
    insert_pending(mails, clock(), "never", enqueueTime=None)
    insert_pending(mails, clock(), "planned", nextAttemptTime=clock() + timedelta(hours=1))
    horizon = clock() + timedelta(seconds=5)

    def lost(limit: int) -> Any:
        found = sweep.enqueued(State.PENDING, NO_PRIORITY, limit, since=None, before=horizon)
        return [candidate.id for candidate in found]

    assert lost(100) == [1, 2, 3]
    assert lost(2) == [1, 2]
    since = clock() + timedelta(seconds=2)
    found = sweep.enqueued(State.PENDING, NO_PRIORITY, 100, since=since, before=horizon)
    assert [candidate.id for candidate in found] == [2, 3]


def test_due_mails_are_found_when_their_time_has_come(
    mails: Mails, clock: SetClock, sweep: Sweep
) -> None:
    """By nextAttemptTime, in its order."""
    for seconds in (3, 1, 2, 5):
        time = clock() + timedelta(seconds=seconds)
        insert_pending(mails, clock(), seconds, nextAttemptTime=time, state="RETRY")

    clock.advance(3)

    assert [found.id for found in sweep.due(State.RETRY, NO_PRIORITY, 10)] == [1, 2, 3]
    assert sweep.due(State.PENDING, NO_PRIORITY, 10) == []


@pytest.mark.parametrize("forged", [{"$gt": ""}, {"$foo": 1}, {"$ne": None}], ids=repr)
@pytest.mark.parametrize("name", ["worker", "attempts"])
def test_operators_in_a_forged_lease_are_values(
    mails: Mails, sweep: Sweep, name: str, forged: dict[str, Any]
) -> None:
    """Whoever may insert documents must not write the sweep's queries: the lease just ends."""
    mails.insert_one({"_id": "mail", "delivery": {"state": "PROCESSING", name: forged}})

    assert sweep.end_leases(sweep.expired_leases(10)) == 1

    assert delivery_of(mails)["state"] == "ERROR"


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], None),
        ([None, "soon", 5], None),
        ([datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), None], 1767225600000),
        ([DatetimeMS(10**15), datetime(2026, 1, 1, tzinfo=UTC)], 1767225600000),
        ([DatetimeMS(10**15)], None),
        ([["soon", DatetimeMS(10**15), datetime(2026, 1, 1, tzinfo=UTC)]], 1767225600000),
        ([["soon"], []], None),
    ],
)
def test_the_next_due_time(
    mails: Mails, sweep: Sweep, clock: SetClock, times: list[Any], expected: int | None
) -> None:
    """The earliest date up to the year 9999, of a list too; anything else never comes."""
    for number, time in enumerate(times):
        insert_pending(mails, clock(), number, nextAttemptTime=time)
    insert_pending(mails, clock(), "done", state="SUCCESS", nextAttemptTime=clock())

    assert sweep.earliest(State.PENDING, NO_PRIORITY) == expected

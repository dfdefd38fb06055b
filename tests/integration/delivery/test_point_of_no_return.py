"""begin_sending and release: what may be sent, and what goes back as if never claimed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure
from pymongo.monitoring import CommandListener

from tasks.delivery.claim import Claims
from tasks.delivery.states import LEASE_EXPIRED, Phase
from tasks.delivery.sweep import Sweep
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of, insert_pending, must_claim
from tests.support.failpoint import failing


Mails = Collection[dict[str, Any]]


def test_it_writes_phase_sending_and_renews_the_lease(
    mails: Mails, claims: Claims, clock: SetClock
) -> None:
    """The whole lease again, from the moment of sending."""
    insert_pending(mails, clock())
    claim = must_claim(claims)
    clock.advance(59)

    assert claims.begin_sending([claim]) == [claim]

    delivery = delivery_of(mails)
    assert delivery["phase"] == "SENDING"
    assert delivery["leaseExpireTime"] == clock() + timedelta(seconds=60)
    assert claim.phase is Phase.SENDING


def test_a_lease_that_ran_out_is_not_sent(mails: Mails, claims: Claims, clock: SetClock) -> None:
    """Even when no sweep has come by yet: it may come at any moment."""
    insert_pending(mails, clock())
    claim = must_claim(claims)
    clock.advance(60)

    assert claims.begin_sending([claim]) == []

    assert delivery_of(mails)["phase"] == "CLAIMED"


@pytest.mark.parametrize("state", ["PENDING", "CANCELLED", "RETRY", "ERROR"])
def test_a_mail_whose_state_was_changed_is_not_sent(
    mails: Mails, claims: Claims, clock: SetClock, state: str
) -> None:
    """By the sweep or by a user, up to the last moment; what they wrote stays."""
    insert_pending(mails, clock())
    claim = must_claim(claims)
    mails.update_one({"_id": "mail"}, {"$set": {"delivery.state": state}})

    assert claims.begin_sending([claim]) == []

    assert delivery_of(mails)["state"] == state


def test_of_a_group_the_lost_are_left_out(mails: Mails, claims: Claims, clock: SetClock) -> None:
    """Deleted, swept and claimed by another: the others are sent, in order."""
    ids: list[Any] = [1, {"sub": 2}, "gone", None, "swept", 6, "other"]
    for id in ids:
        insert_pending(mails, clock(), id)
    group = [must_claim(claims, id) for id in ids]
    mails.delete_one({"_id": "gone"})
    mails.update_one({"_id": "swept"}, {"$set": {"delivery.state": "PENDING"}})
    mails.update_one({"_id": "other"}, {"$set": {"delivery.worker": "worker:2"}})

    kept = claims.begin_sending(group)

    assert [claim.id for claim in kept] == [1, {"sub": 2}, None, 6]
    assert group[4].phase is Phase.CLAIMED
    assert delivery_of(mails, "other")["phase"] == "CLAIMED"


def test_it_is_one_majority_write_for_the_group(
    mongodb_uri: str, mails: Mails, clock: SetClock
) -> None:
    """It makes the claims majority, too, which were written with w:1."""
    listener = _WriteConcerns()
    with MongoClient[dict[str, Any]](
        mongodb_uri, w=1, retryWrites=False, event_listeners=[listener]
    ) as client:
        claims = Claims(client[mails.database.name][mails.name], clock, 60)
        group = [must_claim(claims, insert_pending(mails, clock(), id)) for id in range(5)]
        claims.begin_sending(group)

    assert listener.seen == [("findAndModify", 1)] * 5 + [("update", "majority")]


@pytest.mark.parametrize(
    "fault",
    [
        {"closeConnection": True},
        {"errorCode": 11602},
        {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
    ],
    ids=str,
)
def test_it_is_tried_again_while_the_lease_holds(  # noqa: PLR0917 - fixtures
    mongo_client: MongoClient[dict[str, Any]],
    mails: Mails,
    claims: Claims,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, Any],
) -> None:
    """A broken connection, a step-down, a majority that did not answer in time."""
    monkeypatch.setattr("tasks.delivery.claim._PAUSE", 0.001)
    insert_pending(mails, clock())
    claim = must_claim(claims)

    with failing(mongo_client, "update", times=2, appName="mailtrigger-worker", **fault):
        assert claims.begin_sending([claim]) == [claim]


def test_without_an_answer_until_the_lease_ends_nothing_may_be_sent(
    mongo_client: MongoClient[dict[str, Any]], mails: Mails, clock: SetClock
) -> None:
    """It raises: the caller sends none of the group."""
    claims = Claims(mails, clock, 0.2)
    insert_pending(mails, clock())
    claim = must_claim(claims)

    with (
        failing(
            mongo_client, "update", times=50, closeConnection=True, appName="mailtrigger-worker"
        ),
        pytest.raises(ConnectionFailure),
    ):
        claims.begin_sending([claim])


def test_released_mails_are_as_if_never_claimed(
    mails: Mails, claims: Claims, clock: SetClock
) -> None:
    """PENDING, the attempt not counted, from either phase; others' documents untouched."""
    for id in ("a", "b", "other"):
        insert_pending(mails, clock(), id, attempts=2)
    before = delivery_of(mails, "a")
    claimed, sending = must_claim(claims, "a"), must_claim(claims, "b")
    claims.begin_sending([sending])
    other = must_claim(claims, "other", token="worker:2")
    now = clock.advance(1)

    claims.release([claimed, sending, other], enqueue_time=now)

    expected = {**before, "enqueueTime": now, "nextAttemptTime": None}
    assert delivery_of(mails, "a") == delivery_of(mails, "b") == expected
    assert delivery_of(mails, "other")["state"] == "PROCESSING"
    assert must_claim(claims, "a").attempt == 3


def test_a_release_without_an_answer_is_done_once(
    mongo_client: MongoClient[dict[str, Any]],
    mails: Mails,
    claims: Claims,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tried again after a broken connection; doing it twice does not count down twice."""
    monkeypatch.setattr("tasks.delivery.claim._PAUSE", 0.001)
    insert_pending(mails, clock(), attempts=4)
    claim = must_claim(claims)

    with failing(
        mongo_client, "update", times=2, closeConnection=True, appName="mailtrigger-worker"
    ):
        claims.release([claim], enqueue_time=None)
    claims.release([claim], enqueue_time=None)

    delivery = delivery_of(mails)
    assert (delivery["state"], delivery["attempts"]) == ("PENDING", 4)
    assert delivery["enqueueTime"] is None


def test_a_release_takes_back_the_sweeps_verdict(
    mails: Mails, claims: Claims, clock: SetClock, sweep: Sweep
) -> None:
    """The lease ran out in phase SENDING, but this worker knows that nothing was sent."""
    insert_pending(mails, clock())
    claim = must_claim(claims)
    claims.begin_sending([claim])
    clock.advance(61)
    sweep.end_leases(sweep.expired_leases(10))
    assert delivery_of(mails)["error"] == LEASE_EXPIRED

    claims.release([claim], enqueue_time=None)

    delivery = delivery_of(mails)
    assert delivery["state"] == "PENDING"
    assert delivery["error"] is delivery["endTime"] is None


@pytest.mark.parametrize("state", ["CANCELLED", "SUCCESS", "RETRY", "PENDING"])
def test_a_release_leaves_a_state_that_others_wrote(
    mails: Mails, claims: Claims, clock: SetClock, state: str
) -> None:
    """What a user wrote meanwhile stands."""
    insert_pending(mails, clock())
    claim = must_claim(claims)
    mails.update_one({"_id": "mail"}, {"$set": {"delivery.state": state}})
    before = delivery_of(mails)

    claims.release([claim], enqueue_time=clock())

    assert delivery_of(mails) == before


def test_only_waiting_mails_are_stamped(mails: Mails, claims: Claims, clock: SetClock) -> None:
    """`stamp` notes when ids are published again; a finished mail has no such time."""
    insert_pending(mails, clock(), 1)
    insert_pending(mails, clock(), 2, state="SUCCESS")
    before = clock()
    now = clock.advance(9)

    claims.stamp([1, 2], now)

    assert delivery_of(mails, 1)["enqueueTime"] == now
    assert delivery_of(mails, 2)["enqueueTime"] == before


class _WriteConcerns(CommandListener):
    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    def started(self, event: Any) -> None:
        if event.command_name in {"findAndModify", "update"}:
            self.seen.append((event.command_name, event.command["writeConcern"]["w"]))

    def succeeded(self, event: Any) -> None:
        """Nothing to keep."""

    def failed(self, event: Any) -> None:
        """Nothing to keep."""

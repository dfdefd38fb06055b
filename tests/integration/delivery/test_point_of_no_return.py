"""begin_sending: what may be sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure
from pymongo.monitoring import CommandListener

from tasks.delivery.claim import Claims
from tasks.delivery.states import Phase
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
def test_it_is_tried_again_while_the_lease_holds(
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

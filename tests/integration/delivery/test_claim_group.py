"""CLAIM=bulk: a group taken by one write, on the same conditions as each for itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from config import mongo
from config.settings import Settings
from tasks.delivery.claim import Claims
from tasks.delivery.returns import Returns
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of, insert_pending
from tests.support.failpoint import failing


Mails = Collection[dict[str, Any]]
#: `delivery` (None: there is none) and further fields of documents; some are to be claimed.
DOCUMENTS: list[tuple[Any, dict[str, Any]]] = [
    ({"state": "PENDING"}, {}),
    ({"state": "RETRY", "attempts": 3}, {}),
    ({}, {}),
    (None, {}),
    ({"state": "PENDING", "error": "old", "endTime": datetime(2026, 1, 1, tzinfo=UTC)}, {}),
    ({"state": "PROCESSING", "worker": "worker:2", "attempts": 1}, {}),
    ({"state": "SUCCESS"}, {}),
    ({"state": "ERROR"}, {}),
    ({"state": "DRAFT"}, {}),
    ({"state": "PENDING"}, {"sendAt": datetime(2999, 1, 1, tzinfo=UTC)}),
    ({"state": "PENDING", "nextAttemptTime": datetime(2999, 1, 1, tzinfo=UTC)}, {}),
    ({"state": "PENDING"}, {"sendAt": bson.DatetimeMS(2**50)}),
    ({"state": "PENDING"}, {"sendAt": "tomorrow"}),
    ({"state": "PENDING"}, {"sendAt": [datetime(2999, 1, 1, tzinfo=UTC)]}),
]
#: Documents that refuse the update.
MALFORMED: list[Any] = [
    5,
    "PENDING",
    {"state": "PENDING", "attempts": "three"},
    {"state": "PENDING", "attempts": 2.5},
    {"state": "PENDING", "attempts": None},
]


def _insert(mails: Mails, clock: SetClock, *, malformed: bool) -> list[Any]:
    """Insert them all; return their ids and one that is not there."""
    insert_pending(mails, clock(), "first")
    ids = ["first", "gone"]
    documents = [
        *DOCUMENTS,
        *((delivery, {}) for delivery in MALFORMED if malformed),
        ({"state": "PENDING"}, {}),
    ]
    for number, (delivery, fields) in enumerate(documents):
        document = {"_id": number, "to": "a@example.com", **fields}
        mails.insert_one(document if delivery is None else {**document, "delivery": delivery})
    return [*ids, *range(len(documents))]


@pytest.mark.parametrize("malformed", [False, True])
def test_the_same_documents_are_claimed_in_the_same_way(
    mails: Mails, claims: Claims, clock: SetClock, *, malformed: bool
) -> None:
    """A group and one by one: the same claims, and the same documents afterwards."""
    ids = _insert(mails, clock, malformed=malformed)
    one_by_one = [claim for id in ids if (claim := claims.claim(id, "worker:1"))]
    expected = list(mails.find().sort("_id"))
    mails.delete_many({})
    _insert(mails, clock, malformed=malformed)

    group = sorted(claims.claim_group(ids, "worker:1"), key=lambda claim: ids.index(claim.id))

    assert [claim.id for claim in group] == [claim.id for claim in one_by_one]
    assert [claim.attempt for claim in group] == [claim.attempt for claim in one_by_one]
    assert [claim.document for claim in group] == [claim.document for claim in one_by_one]
    assert list(mails.find().sort("_id")) == expected
    assert claims.begin_sending(group) == group


def test_of_two_groups_each_document_is_in_one(
    mails: Mails, claims: Claims, clock: SetClock
) -> None:
    """Overlapping batches, as after a repeated message: nobody gets what another has."""
    for number in range(30):
        insert_pending(mails, clock(), number)

    first = list(claims.claim_group(list(range(20)), "worker:1"))
    second = list(claims.claim_group(list(range(10, 30)), "worker:2"))

    assert [claim.id for claim in first] == list(range(20))
    assert [claim.id for claim in second] == list(range(20, 30))


@pytest.mark.parametrize("command", ["update", "find"])
def test_a_group_is_claimed_once_over_broken_connections(
    mongo_client: MongoClient[dict[str, Any]],
    mails: Mails,
    claims: Claims,
    clock: SetClock,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tried again: what an earlier try has claimed carries the token and counts once."""
    monkeypatch.setattr("tasks.delivery.claim._PAUSE", 0.001)
    for number in range(5):
        insert_pending(mails, clock(), number)

    with failing(
        mongo_client, command, times=3, closeConnection=True, appName="mailtrigger-worker"
    ):
        group = list(claims.claim_group(list(range(5)), "worker:1"))

    assert [claim.attempt for claim in group] == [1] * 5
    assert [delivery_of(mails, number)["attempts"] for number in range(5)] == [1] * 5


def test_a_primary_that_stays_away_is_an_error(
    mongo_client: MongoClient[dict[str, Any]],
    mails: Mails,
    claims: Claims,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As for a single claim."""
    monkeypatch.setattr("tasks.delivery.claim._PAUSE", 0.001)
    insert_pending(mails, clock())

    with (
        failing(mongo_client, "update", times=100, errorCode=10107, appName="mailtrigger-worker"),
        pytest.raises(ConnectionFailure),
    ):
        claims.claim_group(["mail", "other"], "worker:1")


def test_a_claimed_group_goes_back_whole(mails: Mails, claims: Claims, clock: SetClock) -> None:
    """Released, it can be claimed again as if nothing had been."""
    for number in range(5):
        insert_pending(mails, clock(), number)
    group = list(claims.claim_group(list(range(5)), "worker:1"))

    Returns(mails, clock).release(group, enqueue_time=clock.advance(1))

    again = list(claims.claim_group(list(range(5)), "worker:2"))
    assert [claim.attempt for claim in again] == [1] * 5
    assert all(claim.document["delivery"]["leaseExpireTime"] for claim in again)
    assert clock() + timedelta(seconds=60) == again[0].document["delivery"]["leaseExpireTime"]


def test_large_documents_are_read_as_they_are_asked_for(
    settings: Settings, mails: Mails, clock: SetClock
) -> None:
    """The server's answers are of 16 MB: the next is asked for when the last is used up."""
    for number in range(6):
        insert_pending(mails, clock(), number, filler="x" * 7_000_000)
    commands = _Commands()
    client: MongoClient[dict[str, Any]] = MongoClient(
        settings.mongodb_uri.get_secret_value(), retryWrites=False, event_listeners=[commands]
    )
    with client:
        watched = Claims(mongo.mail_collection(client, settings), clock, 60)

        group = watched.claim_group(list(range(6)), "worker:1")
        next(group)

        assert "getMore" not in commands.names
        assert len(list(group)) == 5
        assert commands.names.count("getMore") >= 2


class _Commands(CommandListener):
    """Notes the names of what is asked."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass

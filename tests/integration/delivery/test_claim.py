"""The claim: one document for one worker, by one findOneAndUpdate."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from bson import Binary, Decimal128, Int64, ObjectId
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure
from pymongo.monitoring import CommandListener

from tasks.delivery.claim import Claims
from tasks.delivery.sweep import Sweep
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of, insert_pending, must_claim
from tests.support.failpoint import CutReplies, failing


Mails = Collection[dict[str, Any]]

IDS = [
    ObjectId("66f0c0ffee66f0c0ffee66f0"), "an id", 7, Int64(2**40), 7.5, True, None,
    Decimal128("1.10"), b"\x00\x01", Binary.from_uuid(uuid.UUID(int=7)),
    datetime(2026, 1, 1, tzinfo=UTC), {"tenant": 4, "mail": {"number": Int64(3)}}, {},
    bson.Timestamp(4, 5), bson.MinKey(),
]  # fmt: skip


def test_a_claim_starts_an_attempt_and_its_lease(
    mails: Mails, claims: Claims, clock: SetClock
) -> None:
    """PROCESSING, attempts + 1, a lease from now on, phase CLAIMED, the worker's token."""
    insert_pending(mails, clock(), error="old", nextAttemptTime=clock())
    started = clock.advance(5)

    claim = must_claim(claims)

    delivery = delivery_of(mails)
    assert delivery["state"] == "PROCESSING"
    assert delivery["attempts"] == claim.attempt == 1
    assert delivery["leaseExpireTime"] == started + timedelta(seconds=60)
    assert delivery["phase"] == "CLAIMED"
    assert delivery["worker"] == claim.token == "worker:1"
    assert delivery["startTime"] == started - timedelta(seconds=5)
    assert delivery["error"] is delivery["endTime"] is delivery["nextAttemptTime"] is None
    assert claim.document["to"] == "a@example.com"


@pytest.mark.parametrize("delivery", [{"state": "PENDING"}, {"state": "RETRY"}, {}, ...])
def test_a_mail_without_a_state_or_waiting_is_claimed(
    mails: Mails, claims: Claims, clock: SetClock, delivery: Any
) -> None:
    """PENDING and RETRY written by anyone, and documents the watcher has not seen yet."""
    mails.insert_one({"_id": "mail"} if delivery is ... else {"_id": "mail", "delivery": delivery})

    assert must_claim(claims).attempt == 1

    assert delivery_of(mails)["startTime"] == clock()


@pytest.mark.parametrize("state", ["PROCESSING", "SUCCESS", "ERROR", "DRAFT", "CANCELLED", 5, ""])
def test_any_other_state_is_left_alone(
    mails: Mails, claims: Claims, clock: SetClock, state: Any
) -> None:
    """Done, in work, or a state of the users' own: no claim, not a byte changed."""
    insert_pending(mails, clock(), state=state)
    before = delivery_of(mails)

    assert claims.claim("mail", "worker:1") is None

    assert delivery_of(mails) == before


def test_a_second_claim_finds_nothing(mails: Mails, claims: Claims, clock: SetClock) -> None:
    """An id delivered twice is harmless."""
    insert_pending(mails, clock())
    must_claim(claims, token="worker:1")

    assert claims.claim("mail", "worker:2") is None

    assert delivery_of(mails)["worker"] == "worker:1"


@pytest.mark.parametrize("bulk", [False, True])
def test_an_old_doubt_ends_with_the_next_attempt(
    mails: Mails, claims: Claims, sweep: Sweep, clock: SetClock, *, bulk: bool
) -> None:
    """Whoever wrote RETRY has settled it: the mark must not say that this attempt may be sent."""
    insert_pending(mails, clock(), state="RETRY", inDoubt=True, lostClaims=2)

    if bulk:
        assert claims.claim_group(["mail"], "worker:1")
    else:
        must_claim(claims)
    assert "inDoubt" not in delivery_of(mails)
    clock.advance(60)
    sweep.end_leases(sweep.expired_leases(10))

    delivery = delivery_of(mails)
    assert delivery["error"].startswith("Given up: 3 workers ended while they prepared this mail")
    assert "inDoubt" not in delivery


def test_a_deleted_document_is_no_claim(claims: Claims) -> None:
    """Dropped quietly."""
    assert claims.claim("gone", "worker:1") is None


@pytest.mark.parametrize("state", ["PENDING", "RETRY"])
@pytest.mark.parametrize("field", ["sendAt", "delivery.nextAttemptTime"])
def test_nothing_is_claimed_before_its_time(
    mails: Mails, claims: Claims, clock: SetClock, state: str, field: str
) -> None:
    """Neither before sendAt nor before nextAttemptTime; at that time it is."""
    insert_pending(mails, clock(), state=state)
    mails.update_one({"_id": "mail"}, {"$set": {field: clock() + timedelta(seconds=10)}})

    clock.advance(9.999)
    assert claims.claim("mail", "worker:1") is None
    clock.advance(0.001)
    must_claim(claims)


def test_a_send_at_beyond_the_year_9999_waits(
    mails: Mails, claims: Claims, clock: SetClock
) -> None:
    """Python has no such date; MongoDB has."""
    insert_pending(mails, clock())
    mails.update_one({"_id": "mail"}, {"$set": {"sendAt": bson.DatetimeMS(2**50)}})

    assert claims.claim("mail", "worker:1") is None


@pytest.mark.parametrize("send_at", ["tomorrow", 17, [datetime(2999, 1, 1, tzinfo=UTC)], {}])
def test_a_send_at_of_a_wrong_type_is_claimed(
    mails: Mails, claims: Claims, clock: SetClock, send_at: Any
) -> None:
    """So that the worker can name the field in an ERROR, instead of waiting for ever."""
    insert_pending(mails, clock())
    mails.update_one({"_id": "mail"}, {"$set": {"sendAt": send_at}})

    must_claim(claims)


@pytest.mark.parametrize("id", IDS, ids=repr)
def test_an_id_of_any_type_is_claimed(
    mails: Mails, claims: Claims, clock: SetClock, id: Any
) -> None:
    """Also null, booleans and subdocuments; begin_sending finds them again."""
    insert_pending(mails, clock(), id)

    claim = must_claim(claims, id)

    assert claim.id == id
    assert claims.begin_sending([claim]) == [claim]


def test_one_claim_is_one_command(mongodb_uri: str, mails: Mails, clock: SetClock) -> None:
    """findAndModify, w:1, no transaction number: what makes it cheap."""
    insert_pending(mails, clock())
    listener = Recorder()
    with MongoClient[dict[str, Any]](
        mongodb_uri, retryWrites=False, event_listeners=[listener]
    ) as client:
        must_claim(Claims(client[mails.database.name][mails.name], clock, 60))

    [command] = listener.commands
    assert command["findAndModify"] == mails.name
    assert command["writeConcern"] == {"w": 1}
    assert "txnNumber" not in command


def test_a_lost_answer_is_no_lost_claim(mails: Mails, clock: SetClock, cut: CutReplies) -> None:
    """The claim reached the server, its answer did not arrive: found again, not taken twice."""
    insert_pending(mails, clock())
    with MongoClient[dict[str, Any]](
        "127.0.0.1", cut.port, directConnection=True, retryWrites=False
    ) as client:
        claim = must_claim(Claims(client[mails.database.name][mails.name], clock, 60))

    assert cut.cut == 1
    assert claim.attempt == delivery_of(mails)["attempts"] == 1
    assert claim.document["to"] == "a@example.com"


@pytest.fixture
def cut(mongod_port: int) -> Iterator[CutReplies]:
    """A way to the server on which the first findAndModify is not answered."""
    with CutReplies(mongod_port, command=b"findAndModify", times=1) as proxy:
        yield proxy


def test_a_claim_that_did_not_arrive_is_made_again(
    mongo_client: MongoClient[dict[str, Any]], mails: Mails, claims: Claims, clock: SetClock
) -> None:
    """The connection broke before the server had it, twice."""
    insert_pending(mails, clock())

    with failing(
        mongo_client, "findAndModify", times=2, closeConnection=True, appName="mailtrigger-worker"
    ):
        claim = must_claim(claims)

    assert claim.attempt == 1


def test_a_primary_that_stays_away_is_an_error(
    mongo_client: MongoClient[dict[str, Any]],
    mails: Mails,
    claims: Claims,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a few tries the batch is given up; the sweep enqueues its ids again."""
    monkeypatch.setattr("tasks.delivery.claim._PAUSE", 0.001)
    insert_pending(mails, clock())

    with (
        failing(
            mongo_client,
            "findAndModify",
            times=100,
            closeConnection=True,
            appName="mailtrigger-worker",
        ),
        pytest.raises(ConnectionFailure),
    ):
        claims.claim("mail", "worker:1")

    assert delivery_of(mails)["state"] == "PENDING"


class Recorder(CommandListener):
    """Keeps the write commands."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: Any) -> None:
        if event.command_name in {"findAndModify", "update"}:
            self.commands.append(dict(event.command))

    def succeeded(self, event: Any) -> None:
        """Nothing to keep."""

    def failed(self, event: Any) -> None:
        """Nothing to keep."""

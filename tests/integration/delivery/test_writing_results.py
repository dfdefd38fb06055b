"""PROCESSING → SUCCESS | ERROR: fenced by the attempt, written until it stands, exactly once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from tasks.delivery.claim import Claim, Claims
from tasks.delivery.results import Result
from tasks.delivery.states import LEASE_EXPIRED, State
from tasks.delivery.sweep import Sweep
from tasks.delivery.writer import ResultWriter
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of, insert_pending, must_claim
from tests.support.failpoint import failing


Mails = Collection[dict[str, Any]]
Write = Callable[..., None]

INFO = {"accepted": ["a@example.com"], "response": "250 ok"}


@pytest.fixture
def write(mails: Mails, clock: SetClock) -> Write:
    """Write results, and wait until they stand."""
    writer = ResultWriter(mails, clock, None)

    def put(*results: Result) -> None:
        for written in [writer.put(result) for result in results]:
            assert written.wait(10), "the result was not written within 10 s"

    return put


@pytest.fixture
def claim(mails: Mails, claims: Claims, clock: SetClock) -> Claim:
    """The first attempt at a mail, past the point of no return."""
    insert_pending(mails, clock())
    claim = must_claim(claims)
    claims.begin_sending([claim])
    return claim


def success(claim: Claim) -> Result:
    """The server took it."""
    return Result(claim, State.SUCCESS, None, INFO)


def test_a_result_ends_the_attempt(
    mails: Mails, clock: SetClock, claim: Claim, write: Write
) -> None:
    """State, endTime, info, errors; lease and phase are gone."""
    now = clock.advance(3)

    write(Result(claim, State.ERROR, "550 no", INFO, [{"recipient": "a@example.com"}]))

    delivery = delivery_of(mails)
    assert delivery["state"] == "ERROR"
    assert delivery["error"] == "550 no"
    assert delivery["endTime"] == now
    assert delivery["info"] == INFO
    assert delivery["errors"] == [{"recipient": "a@example.com"}]
    assert delivery["leaseExpireTime"] is None
    assert "phase" not in delivery
    assert delivery["attempts"] == 1


def test_an_old_attempt_never_touches_a_later_one(
    mails: Mails, claims: Claims, claim: Claim, write: Write
) -> None:
    """Lease expired, RETRY, claimed anew: the first attempt's late result changes nothing."""
    mails.update_one({"_id": "mail"}, {"$set": {"delivery.state": "RETRY"}})
    second = must_claim(claims, token="worker:2")
    before = delivery_of(mails)

    write(success(claim))
    assert delivery_of(mails) == before

    write(Result(second, State.ERROR, "550 no"))
    write(success(claim))
    assert delivery_of(mails)["error"] == "550 no"


def test_the_attempts_number_alone_fences_too(
    mails: Mails, claims: Claims, claim: Claim, write: Write
) -> None:
    """The same worker and token, a later attempt: still another attempt."""
    mails.update_one({"_id": "mail"}, {"$set": {"delivery.state": "RETRY"}})
    must_claim(claims, token=claim.token)

    write(success(claim))

    assert delivery_of(mails)["state"] == "PROCESSING"


@pytest.mark.parametrize("setting", ["error", "retry"])
def test_a_late_result_corrects_lease_expired(
    mails: Mails, clock: SetClock, claim: Claim, write: Write, setting: Any
) -> None:
    """The truth of the same attempt, also when a user has set RETRY on that ERROR since."""
    sweep = Sweep(mails, clock, None, lease_expired=setting)
    clock.advance(61)
    assert sweep.end_leases(sweep.expired_leases(10)) == 1
    assert delivery_of(mails)["error"] == LEASE_EXPIRED
    mails.update_one({"_id": "mail"}, {"$set": {"delivery.state": "RETRY"}})

    write(success(claim))

    delivery = delivery_of(mails)
    assert (delivery["state"], delivery["error"]) == ("SUCCESS", None)


@pytest.mark.parametrize("state", ["CANCELLED", "DRAFT", "PENDING", "RETRY", "SUCCESS", "ERROR"])
def test_a_state_written_meanwhile_is_left_alone(
    mails: Mails, claim: Claim, write: Write, state: str
) -> None:
    """What someone wrote while the mail was in work stands; RETRY and PENDING are their wish."""
    mails.update_one({"_id": "mail"}, {"$set": {"delivery.state": state}})
    before = delivery_of(mails)

    write(success(claim))

    assert delivery_of(mails) == before


def test_a_document_deleted_meanwhile_stays_deleted(
    mails: Mails, claim: Claim, write: Write
) -> None:
    """No result brings it back."""
    mails.delete_one({"_id": "mail"})

    write(success(claim))

    assert mails.count_documents({}) == 0


@pytest.mark.parametrize("delivery", ["text", None, ["x"], ...], ids=repr)
def test_a_delivery_replaced_meanwhile_stays(
    mails: Mails, claim: Claim, write: Write, delivery: Any
) -> None:
    """Removed, or made something that is no map."""
    new = {"_id": "mail"} if delivery is ... else {"_id": "mail", "delivery": delivery}
    mails.replace_one({"_id": "mail"}, new)

    write(success(claim))

    assert mails.find_one() == new


FAULTS = [
    {"closeConnection": True},
    {"errorCode": 11602},
    {"errorCode": 50},
    {"writeConcernError": {"code": 64, "errmsg": "timed out", "errInfo": {"wtimeout": True}}},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_result_survives_the_servers_trouble(
    mongo_client: MongoClient[dict[str, Any]],
    mails: Mails,
    claim: Claim,
    write: Write,
    fault: dict[str, Any],
) -> None:
    """Not given up: connections that break, interrupted writes, a majority that is late."""
    with failing(mongo_client, "update", times=2, appName="mailtrigger-worker", **fault):
        write(success(claim))

    assert delivery_of(mails)["state"] == "SUCCESS"


def test_results_are_written_together_each_to_its_own_document(
    mails: Mails, claims: Claims, clock: SetClock, write: Write
) -> None:
    """250 results of two kinds; one whose document is gone harms no other."""
    ids = range(250)
    for id in ids:
        insert_pending(mails, clock(), id)
    group = [must_claim(claims, id) for id in ids]
    mails.delete_one({"_id": 7})

    write(*(Result(each, State.ERROR if each.id % 2 else State.SUCCESS) for each in group))

    states = {each["_id"]: each["delivery"]["state"] for each in mails.find()}
    assert states == {id: "ERROR" if id % 2 else "SUCCESS" for id in ids if id != 7}


def test_a_result_starts_the_time_to_live(mails: Mails, clock: SetClock, claim: Claim) -> None:
    """`expireAt` is set anew when the mail is done."""
    writer = ResultWriter(mails, clock, timedelta(days=7))
    now = clock.advance(30)

    assert writer.put(success(claim)).wait(10)

    assert delivery_of(mails)["expireAt"] == now + timedelta(days=7)


def test_a_result_that_cannot_be_encoded_harms_no_other(
    mails: Mails, claims: Claims, clock: SetClock, write: Write
) -> None:
    """A result beyond 16 MB is written without its lists; the results beside it are whole."""
    found = []
    for id in ("huge", "other"):
        insert_pending(mails, clock(), id)
        found.append(must_claim(claims, id, f"worker:{id}"))
    huge = Result(found[0], State.SUCCESS, None, {"accepted": ["a" * 1000] * 17_000})

    write(huge, success(found[1]))

    assert delivery_of(mails, "huge")["state"] == "SUCCESS"
    assert delivery_of(mails, "other")["info"] == INFO

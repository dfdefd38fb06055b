"""A claim meets a `delivery` in which no state can be written: an ERROR, never a dead worker."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson import DBRef, Decimal128, Int64
from pymongo.collection import Collection

from tasks.delivery import malformed, states
from tasks.delivery.claim import Claims
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of, insert_pending, must_claim
from tests.support.raw_bson import element, raw_document, string, subdocument


Mails = Collection[dict[str, Any]]

WRONG = ["text", 5, 1.5, True, [], ["x"], [{}], [{"state": "PENDING"}], DBRef("x", 1)]


@pytest.mark.parametrize("delivery", WRONG, ids=repr)
def test_a_delivery_of_a_wrong_type_is_an_error_or_no_claim(
    mails: Mails, claims: Claims, delivery: Any
) -> None:
    """It never stops the worker; where the claim meets it, the error names field and type."""
    mails.insert_one({"_id": "mail", "delivery": delivery})

    assert claims.claim("mail", "worker:1") is None

    found = delivery_of(mails)
    if found != delivery:
        assert found["state"] == "ERROR"
        assert found["error"].startswith("delivery must be a map, not a ")
        assert found["endTime"] is not None


def test_a_delivery_of_null_becomes_a_new_mail(mails: Mails, claims: Claims) -> None:
    """Null means absent: it is removed, for the watcher to see."""
    mails.insert_one({"_id": "mail", "delivery": None})

    assert claims.claim("mail", "worker:1") is None

    assert mails.find_one() == {"_id": "mail"}


BAD_ATTEMPTS = [
    ("two", "a str"), ([1], "a list"), ({}, "a dict"), (True, "True"), (1.5, "2.5"),
    (-3, "-2"), (float("inf"), "inf"), (float("nan"), "nan"), (Decimal128("1"), "a Decimal128"),
    (Int64(2**63 - 1), str(2**63 - 1)),
]  # fmt: skip


@pytest.mark.parametrize(("attempts", "shown"), BAD_ATTEMPTS, ids=repr)
def test_attempts_that_are_no_count_are_an_error(
    mails: Mails, claims: Claims, clock: SetClock, attempts: Any, shown: str
) -> None:
    """The error names the field and the value's trouble; the worker goes on."""
    insert_pending(mails, clock(), attempts=attempts)

    assert claims.claim("mail", "worker:1") is None

    delivery = delivery_of(mails)
    assert delivery["state"] == "ERROR"
    wanted = "delivery.attempts must be a whole number, 0 or more, not "
    assert delivery["error"] == wanted + shown


@pytest.mark.parametrize(("attempts", "next_"), [(4.0, 5), (Int64(7), 8)])
def test_attempts_of_another_number_type_count(
    mails: Mails, claims: Claims, clock: SetClock, attempts: Any, next_: int
) -> None:
    """JavaScript writes doubles; the fence finds the document all the same."""
    insert_pending(mails, clock(), attempts=attempts)

    claim = must_claim(claims)

    assert claim.attempt == next_
    assert mails.count_documents(claim.fence) == 1


def test_attempts_of_null_are_healed(mails: Mails, claims: Claims, clock: SetClock) -> None:
    """Null means absent; the next claim counts from 0."""
    insert_pending(mails, clock(), attempts=None)

    assert claims.claim("mail", "worker:1") is None
    assert must_claim(claims).attempt == 1


def test_a_second_claim_finds_it_settled(
    mails: Mails, claims: Claims, clock: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """An id may come twice: the ERROR of the first stays, and nothing looks like trouble."""
    insert_pending(mails, clock(), attempts=True)
    assert claims.claim("mail", "worker:1") is None
    before = delivery_of(mails)

    settling = malformed.Malformed(mails, clock, None)
    settling.settle({"_id": "mail"}, malformed.TYPE_MISMATCH, "")

    assert delivery_of(mails) == before
    assert "unwritable" not in capsys.readouterr().out


UNREADABLE = element("binary", "note", b"\3\0\0\0\2abc")


@pytest.mark.parametrize("bulk", [False, True])
def test_a_document_that_cannot_be_read(mails: Mails, claims: Claims, *, bulk: bool) -> None:
    """An ERROR at once, not after three leases; the mails beside it are claimed."""
    mails.insert_many([{"_id": number, "delivery": {"state": "PENDING"}} for number in (1, 3)])
    fields = bson.encode({"_id": 2, "delivery": {"state": "PENDING"}})[4:-1]
    raw: Any = mails
    raw.insert_one(raw_document(fields, UNREADABLE))

    if bulk:
        claimed = list(claims.claim_group([1, 2, 3], "worker:1"))
    else:
        claimed = [each for id in (1, 2, 3) if (each := claims.claim(id, "worker:1"))]

    assert [claim.id for claim in claimed] == [1, 3]
    assert mails.count_documents({"_id": 2, "delivery.error": states.UNREADABLE}) == 1


def test_attempts_that_cannot_be_read(mails: Mails, claims: Claims) -> None:
    """The server cannot count them, the driver cannot say what they are."""
    delivery = subdocument(
        element("string", "state", string(b"PENDING")),
        element("binary", "attempts", b"\3\0\0\0\2abc"),
    )
    raw: Any = mails
    raw.insert_one(
        raw_document(element("map", "delivery", delivery), element("int", "_id", b"\1\0\0\0"))
    )

    assert claims.claim(1, "worker:1") is None

    assert delivery_of(mails, 1)["error"] == states.UNREADABLE


def test_a_validator_that_forbids_delivery_harms_no_worker(
    mails: Mails, claims: Claims, clock: SetClock
) -> None:
    """Only its owner can mend that; the document stays as it is."""
    insert_pending(mails, clock())
    forbidden = {"delivery.worker": {"$exists": False}}
    mails.database.command("collMod", mails.name, validator=forbidden)

    assert claims.claim("mail", "worker:1") is None

    assert delivery_of(mails)["state"] == "PENDING"


def test_codes_that_speak_of_the_document_are_few() -> None:
    """A stepped-down or busy server must never look like a bad document."""
    for code in (10107, 11602, 189, 91, 50, 64, 112, None):
        assert not malformed.is_about_the_document(code)

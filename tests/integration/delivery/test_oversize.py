"""Documents so near to 16 MB that their `delivery` has no room."""

from __future__ import annotations

import threading
from typing import Any

import bson
import pytest
from pymongo.collection import Collection

from tasks.delivery.admit import Admission
from tasks.delivery.candidate import Candidate
from tasks.delivery.claim import Claims
from tasks.delivery.results import Result
from tasks.delivery.states import State
from tasks.delivery.writer import ResultWriter
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of, insert_pending, must_claim


Mails = Collection[dict[str, Any]]

LIMIT = 16 * 1024 * 1024


def large(id: str, room: int = 0, **fields: Any) -> dict[str, Any]:
    """Make a document with so many bytes of room below the limit."""
    document = {"_id": id, "to": "a@example.com", **fields, "fill": b""}
    document["fill"] = bytes(LIMIT - room - len(bson.encode(document)))
    return document


@pytest.mark.parametrize("room", [0, 100])
def test_admission_moves_it_and_spares_its_neighbours(
    mails: Mails, admission: Admission, clock: SetClock, room: int
) -> None:
    """A whole copy aside, an ERROR in its place; the neighbours are published."""
    document = large("large", room)
    mails.insert_one(document)
    mails.insert_many([{"_id": "before"}, {"_id": "after"}])
    candidates = [Candidate(id, "missing") for id in ("before", "large", "after")]

    ready = admission.admit(candidates, clock())

    assert [candidate.id for candidate in ready] == ["before", "after"]
    _is_moved(mails, document)


def test_a_claim_moves_it(mails: Mails, claims: Claims) -> None:
    """Inserted, and claimed before the watcher wrote anything."""
    document = large("large")
    mails.insert_one(document)

    assert claims.claim("large", "worker:1") is None

    _is_moved(mails, document)


def test_a_claim_without_room_for_the_lease_moves_it(mails: Mails, claims: Claims) -> None:
    """PENDING fitted in, the lease does not."""
    document = large("large", 10, delivery={"state": "PENDING"})
    mails.insert_one(document)

    assert claims.claim("large", "worker:1") is None

    _is_moved(mails, document)


def test_a_delivery_of_a_wrong_type_without_room_moves_it(
    mails: Mails, admission: Admission, clock: SetClock
) -> None:
    """Even the ERROR has no room."""
    document = large("large", delivery="x")
    mails.insert_one(document)

    assert admission.admit([Candidate("large", "string")], clock()) == []

    _is_moved(mails, document)


def test_a_result_too_large_is_cut_down(mails: Mails, claims: Claims, clock: SetClock) -> None:
    """State and error stay; the lists of recipients have no room."""
    claim = _claim_with_room(mails, claims, clock, 400)

    _write(mails, clock, Result(claim, State.SUCCESS, None, {"accepted": ["x" * 500]}))

    delivery = delivery_of(mails)
    assert delivery["state"] == "SUCCESS"
    assert "no room" in delivery["info"]["response"]
    assert delivery["leaseExpireTime"] is None


def test_a_result_without_any_room_is_the_truth_all_the_same(
    mails: Mails, claims: Claims, clock: SetClock
) -> None:
    """SUCCESS was the truth: the document is moved, and its place says SUCCESS, not ERROR."""
    claim = _claim_with_room(mails, claims, clock, 5)
    whole = mails.find_one({"_id": "mail"})

    _write(mails, clock, Result(claim, State.SUCCESS, None, {"accepted": ["x" * 500]}))

    delivery = delivery_of(mails)
    assert delivery["state"] == "SUCCESS"
    assert delivery["attempts"] == 1
    assert delivery["leaseExpireTime"] is None
    assert _aside(mails) == whole


def _claim_with_room(mails: Mails, claims: Claims, clock: SetClock, room: int) -> Any:
    insert_pending(mails, clock())
    claim = must_claim(claims)
    size = len(bson.encode(mails.find_one({"_id": "mail"}) or {}))
    overhead = len(bson.encode({"fill": b""})) - len(bson.encode({}))
    fill = bytes(LIMIT - room - size - overhead)
    mails.update_one({"_id": "mail"}, {"$set": {"fill": fill}})
    return claim


def _write(mails: Mails, clock: SetClock, result: Result) -> None:
    written: threading.Event = ResultWriter(mails, clock, None).put(result)
    assert written.wait(10), "the result was not written within 10 s"


def _is_moved(mails: Mails, document: dict[str, Any]) -> None:
    delivery = delivery_of(mails, document["_id"])
    assert delivery["state"] == "ERROR"
    assert "too large" in delivery["error"]
    assert f"{mails.name}.oversize" in delivery["error"]
    assert _aside(mails) == document


def _aside(mails: Mails) -> Any:
    name = f"{mails.name}.oversize"
    return mails.database.get_collection(name, codec_options=mails.codec_options).find_one()

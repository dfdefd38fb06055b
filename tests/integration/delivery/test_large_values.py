"""Values of megabytes where a word is expected: the watcher reads no more than it needs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import bson
import pytest
from bson.timestamp import Timestamp
from pymongo.collection import Collection

from tasks.delivery import ids
from tasks.delivery.candidate import PROJECTION, Candidate, Kind
from tasks.delivery.sweep import Sweep
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of
from tests.support.raw_bson import element, raw_document
from watcher.stream import Stream


Mails = Collection[dict[str, Any]]

HUGE: list[Any] = ["x" * 200_000, b"x" * 200_000, {"a": "x" * 200_000}, ["x" * 200_000]]
FIELDS = ["priority", "sendAt", "state", "nextAttemptTime", "waitsFor"]
#: Bytes of a candidate, as the server sends it.
SMALL = 300


def document(field: str, value: Any) -> dict[str, Any]:
    """Make a mail with the value in that field."""
    if field in ("priority", "sendAt"):
        return {field: value}
    return {"delivery": {"state": "PENDING", field: value}}


@pytest.mark.parametrize("value", HUGE, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("field", FIELDS)
def test_a_candidate_is_small(mails: Mails, field: str, value: Any) -> None:
    """A thousand of them are read at once."""
    mails.insert_one(document(field, value))

    [found] = mails.find({}, PROJECTION)

    assert len(bson.encode(found)) < SMALL
    kind = Candidate.of(found).kind
    if field != "state":
        assert kind in {Kind.NEW, Kind.WAITING}
    else:
        assert kind is (Kind.MALFORMED if isinstance(value, list) else Kind.OTHER)


@pytest.mark.parametrize("field", ["priority", "sendAt", "nextAttemptTime", "waitsFor"])
def test_an_event_is_small(mails: Mails, field: str) -> None:
    """Five thousand of them are read ahead."""
    for value in HUGE[:-1]:
        start = _now(mails)
        mails.insert_one({"_id": str(type(value)), **document(field, value)})

        [event] = _events(mails, start)

        assert event["id"] == str(type(value))
        assert len(bson.encode({k: v for k, v in event.items() if k != "_id"})) < SMALL


@pytest.mark.parametrize("character", ["x", "\0", "\uffff"])
def test_an_event_of_a_huge_id_is_passed_over(mails: Mails, character: str) -> None:
    """Such a document is left to the sweep. What may be an id is none of them."""
    largest = character * ((ids.LARGEST - len(ids.key(""))) // len(character.encode()))
    assert ids.fault(largest) is None
    start = _now(mails)
    mails.insert_many([{"_id": largest * 5}, {"_id": largest}])

    [fits] = _events(mails, start)

    assert fits["id"] == largest


def test_an_event_that_cannot_be_read_is_passed_over(mails: Mails) -> None:
    """Its token is used, and what comes after it is read, one event at a time."""
    start = _now(mails)
    raw: Any = mails
    for number in range(3):
        mails.insert_one({"_id": number})
        unreadable = b"\3\0\0\0\2ab" + str(number).encode()
        raw.insert_one(raw_document(element("binary", "_id", unreadable)))
    mails.insert_one({"_id": "last"})

    found = _events(mails, start, count=4)

    assert [each["id"] for each in found] == [0, 1, 2, "last"]


def test_an_unreadable_event_in_the_first_answer(mails: Mails) -> None:
    """The server may have it ready when the stream is opened."""
    start = _now(mails)
    raw: Any = mails
    raw.insert_one(raw_document(element("binary", "_id", b"\3\0\0\0\2abc")))
    mails.insert_one({"_id": "last"})
    stream = Stream(mails, token=None, start=Timestamp(start.time, start.inc + 1))
    try:
        [found] = _taken(stream, 1)
        token = found["_id"]
    finally:
        stream.close()
    mails.insert_one({"_id": "later"})

    again = Stream(mails, token=token, start=None)
    try:
        assert [each["id"] for each in _taken(again, 1)] == ["later"]
    finally:
        again.close()


FORGED: dict[str, dict[str, Any]] = {
    "a huge worker": {"worker": "x" * 5_000_000},
    "an operator": {"worker": {"$gt": ""}, "attempts": {"$exists": True}},
    "huge attempts": {"attempts": "x" * 5_000_000, "lostClaims": "x" * 5_000_000},
    "not a number": {"attempts": bson.Decimal128("NaN"), "worker": "w"},
    "a phase of megabytes": {"phase": "x" * 5_000_000},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_lease_is_small_and_ends(
    mails: Mails, sweep: Sweep, forged: dict[str, Any]
) -> None:
    """Whatever stands in the place of a worker's own fields."""
    mails.insert_one({"_id": "mail", "delivery": {"state": "PROCESSING", **forged}})

    [expired] = sweep.expired_leases(10)

    assert len(bson.encode(expired)) < SMALL
    assert sweep.end_leases([expired]) == 1
    assert delivery_of(mails)["state"] == "ERROR"


@pytest.mark.parametrize(
    "until", [timedelta(days=2), timedelta(days=900_000), bson.DatetimeMS(2**60)], ids=str
)
def test_a_lease_of_days_is_no_lease(
    mails: Mails, sweep: Sweep, clock: SetClock, until: Any
) -> None:
    """LEASE_SECONDS is an hour at most: forged, or the mail would be PROCESSING for ever."""
    time = clock() + until if isinstance(until, timedelta) else until
    mails.insert_one({"_id": "mail", "delivery": {"state": "PROCESSING", "leaseExpireTime": time}})

    assert sweep.end_leases(sweep.expired_leases(10)) == 1

    assert delivery_of(mails)["state"] == "ERROR"


def test_lost_claims_below_zero_count_from_zero(mails: Mails, sweep: Sweep) -> None:
    """Or a document that kills workers could do so some billions of times."""
    forged = {"state": "PROCESSING", "phase": "CLAIMED", "lostClaims": -(10**9)}
    mails.insert_one({"_id": "mail", "delivery": forged})

    assert sweep.end_leases(sweep.expired_leases(10)) == 1

    assert delivery_of(mails)["lostClaims"] == 1


def _now(mails: Mails) -> Timestamp:
    time: Timestamp = mails.database.command("ping")["operationTime"]
    return time


def _events(mails: Mails, start: Timestamp, count: int = 1) -> list[dict[str, Any]]:
    stream = Stream(mails, token=None, start=Timestamp(start.time, start.inc + 1))
    try:
        return _taken(stream, count)
    finally:
        stream.close()


def _taken(stream: Stream, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    end = time.monotonic() + 30
    while len(found) < count and time.monotonic() < end:
        found += stream.take(10, wait=5, linger=0).events
    return found

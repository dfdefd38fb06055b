"""Ids that name no document as the driver reads them: an ERROR, not a mail found for ever."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson import Code, DBRef, ObjectId
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from config.mongo import CODEC
from tasks.delivery import ids, spans
from tasks.delivery.admit import Admission
from tasks.delivery.candidate import PROJECTION, Candidate
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tests.support.clock import SetClock
from tests.support.raw_bson import element, string
from tests.support.unreadable_ids import UNREADABLE, insert


Mails = Collection[dict[str, Any]]
RAW = CODEC.with_options(document_class=RawBSONDocument)

READABLE = [
    "text", "", "\0", "\ufffd", 7, bson.Int64(7), 0.5, float("nan"), None, True,
    ObjectId("66f0c0ffee66f0c0ffee66f0"), b"x", {}, {"a": 1, "b": {"c": [1, None]}}, {"a.b": 1},
    DBRef("x", 1), Code("x"), Code("x", {"a": 1}),
    bson.MinKey(), bson.MaxKey(), bson.Timestamp(1, 2), bson.Decimal128("NaN"),
    bson.DatetimeMS(2**60), "x" * 4_000,
]  # fmt: skip


def swept(sweep: Sweep, state: str | None = None) -> list[Candidate]:
    """Find mails without a priority that were never enqueued."""
    found, _ = sweep.unqueued(State(state) if state else None, spans.USUAL[1], 10).take()
    return found


def test_the_list_is_hostile(mails: Mails) -> None:
    """MongoDB takes each of them, and what the driver reads does not find it, or is no message."""
    for name, id in UNREADABLE.items():
        insert(mails, id)
        if "looks like" not in name and "too large" not in name:
            assert _read_back(mails) is None, name
        mails.delete_many({})


def _read_back(mails: Mails) -> Any:
    """Find the only mail by what the driver makes of its id."""
    try:
        [read] = mails.find({}, {"_id": 1})
    except InvalidBSON:
        return None
    return mails.find_one({"_id": read["_id"]})


@pytest.mark.parametrize("state", [None, "PENDING", "RETRY"])
@pytest.mark.parametrize("id", UNREADABLE.values(), ids=UNREADABLE)
def test_a_waiting_mail_becomes_an_error(
    mails: Mails, sweep: Sweep, admission: Admission, clock: SetClock, id: bytes, state: str | None
) -> None:
    """The sweep does not find it a second time, and the mail beside it is found."""
    fields: dict[str, Any] = {} if state is None else {"delivery": {"state": state}}
    insert(mails, id, **fields)
    mails.insert_one({"_id": "good", **fields})

    ready = admission.admit(swept(sweep, state), clock())

    assert [each.id for each in ready] == ["good"]
    assert swept(sweep, state) == []
    bad = mails.find_one({"delivery.state": "ERROR"}, {"_id": 0})
    assert bad is not None
    assert bad["delivery"]["error"] in {ids.NOT_READABLE, ids.TOO_LARGE}
    assert bad["to"] == "a@example.com"


@pytest.mark.parametrize("id", UNREADABLE.values(), ids=UNREADABLE)
def test_an_expired_lease_becomes_an_error(mails: Mails, sweep: Sweep, id: bytes) -> None:
    """A forged PROCESSING is no hiding place."""
    insert(mails, id, delivery={"state": "PROCESSING"})

    assert sweep.end_leases(sweep.expired_leases(10)) == 1

    assert mails.count_documents({"delivery.state": "ERROR"}) == 1


def test_a_twin_that_is_read_alike_is_safe(
    mails: Mails, sweep: Sweep, admission: Admission, clock: SetClock
) -> None:
    """The id that the broken one is read as may be somebody else's: that mail is left alone."""
    insert(mails, UNREADABLE["broken UTF-8"])
    mails.insert_one({"_id": "a\ufffd", "to": "b@example.com"})

    ready = admission.admit(swept(sweep), clock())

    assert [each.id for each in ready] == ["a\ufffd"]
    [error] = mails.find({"delivery.state": "ERROR"})
    assert error["to"] == "a@example.com"


@pytest.mark.parametrize("id", READABLE, ids=lambda each: f"{type(each).__name__} {each!r}"[:30])
def test_other_ids_are_found(mails: Mails, sweep: Sweep, id: Any) -> None:
    """Of every type that can be read back."""
    mails.insert_one({"_id": id})

    assert [ids.key(each.id) for each in swept(sweep)] == [ids.key(id)]


@pytest.mark.parametrize("id", [id for name, id in UNREADABLE.items() if "looks like" in name])
def test_what_no_message_can_hold_is_an_error_at_once(
    mails: Mails, admission: Admission, clock: SetClock, id: bytes
) -> None:
    """Such an id would spoil the message for the 49 others in it."""
    insert(mails, id)
    candidates = [Candidate.of(each) for each in mails.find({}, PROJECTION)]

    assert admission.admit(candidates, clock()) == []

    [mail] = mails.find({})
    assert mail["delivery"]["error"] == ids.NOT_READABLE


def test_what_is_refused_stays_whole(
    mails: Mails, sweep: Sweep, admission: Admission, clock: SetClock
) -> None:
    """Only `delivery` is written."""
    insert(mails, UNREADABLE["a key twice"], note={"deep": [1]})

    admission.admit(swept(sweep), clock())

    raw: Any = mails.with_options(codec_options=RAW)
    [stored] = raw.find()
    assert UNREADABLE["a key twice"] in bytes(stored.raw)
    found = mails.find_one({}) or {}
    assert found["note"] == {"deep": [1]}


def test_a_thousand_of_them_hold_up_nobody(
    mails: Mails, sweep: Sweep, admission: Admission, clock: SetClock
) -> None:
    """A full step of refused mails is followed by the next."""
    for number in range(10):
        insert(mails, element("string", "_id", string(f"{number}".encode() + b"\xff")))
    mails.insert_one({"_id": "good"})
    source = sweep.unqueued(None, spans.USUAL[1], 10)

    first, more = source.take()
    assert admission.admit(first, clock()) == []
    assert more
    [found] = source.take()[0]

    assert found.id == "good"


def test_ids_of_megabytes_are_read_a_few_at_a_time(
    mails: Mails, sweep: Sweep, admission: Admission, clock: SetClock
) -> None:
    """A step of a thousand would fill the memory. MongoDB's oplog has room for one of 8 MB."""
    for number in range(6):
        mails.insert_one({"_id": f"{number}" + "x" * 5_000_000})
    mails.insert_one({"_id": "x" * (8 * 1024 * 1024 - 1000)})
    mails.insert_one({"_id": "good"})
    source = sweep.unqueued(None, spans.USUAL[1], 10)
    ready: list[Any] = []
    steps, more = 0, True

    while more:
        found, more = source.take()
        assert len(found) <= 6
        ready += [each.id for each in admission.admit(found, clock())]
        steps += 1

    assert ready == ["good"]
    assert mails.count_documents({"delivery.error": ids.TOO_LARGE}) == 7
    assert steps < 10


def test_only_what_names_nothing_is_missed(
    mails: Mails, admission: Admission, clock: SetClock
) -> None:
    """The watcher then looks for it. What the sweep was first to enqueue is no reason to look."""
    mails.insert_many([{"_id": {"a": 1}}, {"_id": "a\ufffd"}, {"_id": 3}])
    insert(mails, element("string", "_id", string(b"b\xff")))
    candidates = [Candidate(id, "missing") for id in ({"a": 1}, "a\ufffd", 3, "deleted")]
    admission.admit(candidates, clock())

    assert admission.admit(candidates, clock.advance(1)) == []
    assert not admission.missed
    admission.admit([Candidate("b\ufffd", "missing")], clock())
    assert admission.missed

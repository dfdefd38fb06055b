"""Counts by state, and the last hour by minute."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from pymongo.collection import Collection

from tasks.operating import counts, following, throughput
from tests.support.histories import NOON, past


Mails = Collection[dict[str, Any]]


def test_counts_by_state(mails: Mails) -> None:
    """Exact but for SUCCESS, which is what is left, with states of the users' own."""
    states = {"SUCCESS": 9, "ERROR": 3, "PENDING": 4, "RETRY": 1, "PROCESSING": 2, "DRAFT": 1}
    states |= {"CANCELLED": 2, "held back": 1}
    kinds = [state for state, number in states.items() for _ in range(number)]
    mails.insert_many(past(number, state) for number, state in enumerate(kinds))
    mails.insert_one({"_id": "new"})

    found = counts.by_state(mails)

    assert found.states == {
        "NEW": 1, "PENDING": 4, "RETRY": 1, "PROCESSING": 2, "ERROR": 3, "CANCELLED": 2, "DRAFT": 1,
    }  # fmt: skip
    assert (found.other, found.total) == (10, 24)


def test_the_last_hour_by_minute(mails: Mails) -> None:
    """What ended in each minute, however long ago it began; percentiles within 10 %."""
    documents = []
    for number in range(100):
        took = timedelta(milliseconds=10 * (number + 1))
        end = NOON - timedelta(minutes=3) + timedelta(milliseconds=number)
        documents.append(past(number, startTime=end - took, endTime=end))
    documents += [past(1000, "ERROR", endTime=NOON - timedelta(minutes=3))]
    documents += [past(1001, startTime=NOON - timedelta(days=3), endTime=NOON)]
    documents += [past(1002, endTime=NOON - timedelta(hours=2))]
    documents += [past(1003, startTime="hostile", endTime=NOON)]
    mails.insert_many(documents)

    minutes = throughput.last_hour(mails, NOON + timedelta(seconds=20))

    assert len(minutes) == 60
    last, earlier = minutes[-1], minutes[-4]
    assert last is not None
    assert earlier is not None
    assert (last.start, last.sent, last.failed) == (NOON, 2, 0)
    assert last.p50 == pytest.approx(3 * 86_400, rel=0.1)
    assert (earlier.start, earlier.sent, earlier.failed) == (NOON - timedelta(minutes=3), 100, 1)
    assert earlier.p50 == pytest.approx(0.5, rel=0.1)
    assert earlier.p99 == pytest.approx(0.99, rel=0.1)
    assert sum(each.sent for each in minutes if each) == 102


def test_minutes_without_time_are_none(mails: Mails) -> None:
    """Not zero."""
    assert throughput.last_hour(mails, NOON, seconds=0) == [None] * 60


def test_a_mail_is_followed_to_its_end(mails: Mails) -> None:
    """Each change of its story, the first at once; removed: None."""
    mails.insert_one(past(1, "PENDING"))
    stories = following.until_settled(mails, 1, time.monotonic() + 30)

    seen = []
    for state in ("PROCESSING", "SUCCESS", None):
        mail = next(stories)
        assert mail is not None
        seen.append(mail.state)
        mails.update_one({"_id": 1}, {"$set": {"to": "an edit that is no change of its story"}})
        mails.update_one({"_id": 1}, {"$set": {"delivery.state": state}})

    assert seen == ["PENDING", "PROCESSING", "SUCCESS"]
    assert next(stories, "ended") == "ended"
    gone = following.until_settled(mails, "nobody", time.monotonic() + 30)
    assert list(gone) == [None]


def test_changes_as_they_happen(mails: Mails) -> None:
    """Inserts, states by dotted names or as a whole, removals; no other edit, no bodies."""
    with following.watch(mails) as stream:
        mails.insert_one({"_id": 1, "message": {"subject": "S", "text": "T"}})
        mails.update_one({"_id": 1}, {"$set": {"to": "a@example.com"}})
        mails.update_one({"_id": 1}, {"$set": {"delivery": {"state": "PENDING"}}})
        failed = {"delivery.state": "ERROR", "delivery.error": "refused"}
        mails.update_one({"_id": 1}, {"$set": failed})
        mails.update_one({"_id": 1}, {"$unset": {"delivery": ""}})
        mails.delete_one({"_id": 1})
        events = [next(stream) for _ in range(6)]

    assert "text" not in events[0]["fullDocument"]["message"]
    changes = [following.read(event) for event in events]
    said = [change and (change.state, change.error) for change in changes]
    assert said[:4] == [("NEW", None), None, ("PENDING", None), ("ERROR", "refused")]
    assert said[4:] == [("NEW", None), ("deleted", None)]

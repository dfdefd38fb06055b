"""None → PENDING, and what is published."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import bson
import pytest
from bson import DBRef
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure

from tasks.delivery.admit import Admission
from tasks.delivery.candidate import PROJECTION, Candidate
from tasks.lanes import Lane
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of
from tests.support.failpoint import failing


Mails = Collection[dict[str, Any]]


def present(mails: Mails, *, rescheduled: bool = False) -> list[Candidate]:
    """Read all documents as the watcher does."""
    return [Candidate.of(each, rescheduled=rescheduled) for each in mails.find({}, PROJECTION)]


def ids(candidates: list[Candidate]) -> list[Any]:
    return [candidate.id for candidate in candidates]


@pytest.mark.parametrize("new", [{}, {"delivery": None}], ids=str)
def test_a_new_mail_gets_all_fields(
    mails: Mails, admission: Admission, clock: SetClock, new: dict[str, Any]
) -> None:
    """PENDING, startTime, 0 attempts, and null where nothing is known yet."""
    mails.insert_one({"_id": 1, **new})

    ready = admission.admit(present(mails), clock())

    assert ids(ready) == [1]
    assert delivery_of(mails, 1) == {
        "state": "PENDING",
        "startTime": clock(),
        "endTime": None,
        "error": None,
        "attempts": 0,
        "leaseExpireTime": None,
        "info": None,
        "enqueueTime": clock(),
    }


def test_a_delivery_without_state_keeps_what_else_it_says(
    mails: Mails, admission: Admission, clock: SetClock
) -> None:
    """A user removed delivery.state: PENDING, the user's own fields stay."""
    mails.insert_one({"_id": 1, "delivery": {"note": "mine", "error": "old"}})

    assert ids(admission.admit(present(mails), clock())) == [1]

    delivery = delivery_of(mails, 1)
    assert (delivery["state"], delivery["note"], delivery["error"]) == ("PENDING", "mine", None)


@pytest.mark.parametrize("state", ["PENDING", "RETRY"])
def test_a_waiting_mail_is_enqueued_as_it_is(
    mails: Mails, admission: Admission, clock: SetClock, state: str
) -> None:
    """Only the time of enqueueing is noted; nothing that stood there is lost."""
    mails.insert_one({"_id": 1, "delivery": {"state": state, "attempts": 3, "error": "last"}})

    assert ids(admission.admit(present(mails), clock())) == [1]

    assert delivery_of(mails, 1) == {
        "state": state,
        "attempts": 3,
        "error": "last",
        "enqueueTime": clock(),
        "nextAttemptTime": None,
    }


@pytest.mark.parametrize("state", ["SUCCESS", "ERROR", "PROCESSING", "DRAFT", "CANCELLED", 5])
def test_other_states_are_left_alone(
    mails: Mails, admission: Admission, clock: SetClock, state: Any
) -> None:
    """Whatever sendAt says."""
    document = {"_id": 1, "sendAt": clock() + timedelta(hours=1), "delivery": {"state": state}}
    mails.insert_one(document)

    assert admission.admit(present(mails), clock()) == []

    assert mails.find_one() == document


@pytest.mark.parametrize(
    "delivery", ["text", 5, True, ["x"], [{"state": "PENDING"}], DBRef("x", 1)], ids=repr
)
def test_a_delivery_that_is_no_map_is_an_error(
    mails: Mails, admission: Admission, clock: SetClock, delivery: Any
) -> None:
    """It names field and type, and says what to do; the others are enqueued."""
    mails.insert_many([{"_id": 1, "delivery": delivery}, {"_id": 2}])

    assert ids(admission.admit(present(mails), clock())) == [2]

    found = delivery_of(mails, 1)
    assert found["state"] == "ERROR"
    assert found["error"].startswith("delivery must be a map, not a ")


def test_what_changed_since_it_was_seen_is_respected(
    mails: Mails, admission: Admission, clock: SetClock
) -> None:
    """Deleted, cancelled, claimed, repaired: the candidate is out of date, nothing is written."""
    mails.insert_many(
        [
            {"_id": "cancelled", "delivery": {"state": "CANCELLED"}},
            {"_id": "claimed", "delivery": {"state": "PROCESSING"}},
            {"_id": "repaired"},
            {"_id": "new"},
        ]
    )
    candidates = [Candidate(id, "missing") for id in ("gone", "cancelled", "claimed", "new")]
    candidates += [Candidate("repaired", "string")]

    assert ids(admission.admit(candidates, clock())) == ["new"]

    assert mails.find_one({"_id": "repaired"}) == {"_id": "repaired"}
    assert delivery_of(mails, "cancelled") == {"state": "CANCELLED"}
    assert mails.count_documents({}) == 4


def test_a_later_time_is_noted_and_the_mail_waits(
    mails: Mails, admission: Admission, clock: SetClock
) -> None:
    """sendAt to come: PENDING with nextAttemptTime, not published."""
    later = clock() + timedelta(seconds=10)
    mails.insert_many(
        [
            {"_id": 1, "sendAt": later},
            {"_id": 2, "sendAt": later, "delivery": {"state": "RETRY"}},
            {"_id": 3, "sendAt": clock()},
            {"_id": 4, "sendAt": bson.DatetimeMS(2**50)},
        ]
    )

    assert ids(admission.admit(present(mails), clock())) == [3]

    for id, state, time in ((1, "PENDING", later), (2, "RETRY", later)):
        delivery = delivery_of(mails, id)
        assert (delivery["state"], delivery["nextAttemptTime"]) == (state, time)
        assert delivery["enqueueTime"] is None
    assert delivery_of(mails, 4)["nextAttemptTime"] == bson.DatetimeMS(2**50)


def test_a_users_next_attempt_time_is_kept(
    mails: Mails, admission: Admission, clock: SetClock
) -> None:
    """RETRY tomorrow: fields as they are; the later of the two times counts."""
    soon, later = clock() + timedelta(hours=1), clock() + timedelta(hours=2)
    mails.insert_many(
        [
            {"_id": 1, "delivery": {"state": "RETRY", "nextAttemptTime": soon}},
            {"_id": 2, "delivery": {"nextAttemptTime": soon}},
            {"_id": 3, "sendAt": later, "delivery": {"state": "RETRY", "nextAttemptTime": soon}},
            {"_id": 4, "delivery": {"state": "RETRY", "nextAttemptTime": "no time"}},
        ]
    )

    assert ids(admission.admit(present(mails), clock())) == [4]

    times = [delivery_of(mails, id)["nextAttemptTime"] for id in (1, 2, 3, 4)]
    assert times == [soon, soon, later, None]


@pytest.mark.parametrize("send_at", ["removed", "earlier", "later"])
def test_a_changed_send_at_replaces_the_time_made_of_it(
    mails: Mails, admission: Admission, clock: SetClock, send_at: str
) -> None:
    """Moved or removed: nextAttemptTime follows, in both directions."""
    mails.insert_one({"_id": 1, "sendAt": clock() + timedelta(hours=1)})
    admission.admit(present(mails), clock())
    later = clock() + timedelta(hours=3)
    times: dict[str, datetime | None] = {"removed": None, "earlier": clock(), "later": later}
    mails.update_one({"_id": 1}, {"$set": {"sendAt": times[send_at]}})

    ready = admission.admit(present(mails, rescheduled=True), clock())

    assert ids(ready) == ([] if send_at == "later" else [1])
    expected = later if send_at == "later" else None
    assert delivery_of(mails, 1)["nextAttemptTime"] == expected


def test_closed_lanes_wait_in_mongodb(mails: Mails, admission: Admission, clock: SetClock) -> None:
    """PENDING without enqueueTime; the other lanes are published."""
    mails.insert_many(
        [
            {"_id": 1, "priority": "low"},
            {"_id": 2, "priority": "high"},
            {"_id": 3, "priority": "low", "delivery": {"state": "RETRY", "enqueueTime": clock()}},
        ]
    )

    assert ids(admission.admit(present(mails), clock(), {Lane.LOW})) == [2]

    for id, state in ((1, "PENDING"), (3, "RETRY")):
        delivery = delivery_of(mails, id)
        assert (delivery["state"], delivery["enqueueTime"]) == (state, None)


def test_admitting_twice_publishes_once(
    mails: Mails, admission: Admission, clock: SetClock
) -> None:
    """An event read again, of a mail that this leader has enqueued already."""
    mails.insert_one({"_id": 1})
    event = [Candidate(1, "missing")]
    clock.advance(1)
    assert ids(admission.admit(event, clock())) == [1]
    clock.advance(1)

    assert admission.admit(event, clock()) == []


def test_what_a_dead_leader_may_not_have_published_is_published(
    mails: Mails, admission: Admission, clock: SetClock
) -> None:
    """PENDING was written, then the watcher died: its successor reads the event again.

    With the message's own time, or the sweep would take it for lost at once.
    """
    mails.insert_one({"_id": 1})
    event = [Candidate(1, "missing")]
    admission.admit(event, clock())
    clock.advance(1)
    successor = Admission(mails, clock, None)
    now = clock.advance(1)

    assert ids(successor.admit(event, now)) == [1]
    assert delivery_of(mails, 1)["enqueueTime"] == now


def test_a_failure_in_between_is_raised_and_repeated(
    mongo_client: MongoClient[dict[str, Any]], mails: Mails, admission: Admission, clock: SetClock
) -> None:
    """The caller keeps its token; the second time everything is there."""
    mails.insert_many([{"_id": 1}, {"_id": 2, "delivery": {"state": "RETRY"}}])
    candidates = present(mails)

    with (
        failing(mongo_client, "update", closeConnection=True, appName="mailtrigger-worker"),
        pytest.raises(ConnectionFailure),
    ):
        admission.admit(candidates, clock())

    assert sorted(ids(admission.admit(candidates, clock()))) == [1, 2]


def test_waiting_mails_get_their_time_to_live(mails: Mails, clock: SetClock) -> None:
    """`expireAt` from the start, when TTL_EXPIRE_TYPE is set."""
    mails.insert_one({"_id": 1})

    Admission(mails, clock, timedelta(days=1)).admit(present(mails), clock())

    assert delivery_of(mails, 1)["expireAt"] == clock() + timedelta(days=1)


def test_an_id_too_large_for_a_message_is_an_error(
    mails: Mails, admission: Admission, clock: SetClock
) -> None:
    """A thousand ids go into one query: one of 5 MB would burst it. The others are enqueued."""
    huge = "x" * 5_000_000
    mails.insert_many([{"_id": huge}, {"_id": "small"}])

    ready = admission.admit(present(mails), clock())

    assert ids(ready) == ["small"]
    assert "_id must not be larger" in delivery_of(mails, huge)["error"]


def test_an_error_of_the_watchers_own_expires_too(mails: Mails, clock: SetClock) -> None:
    """A document nobody could send is removed like any other that ended in ERROR."""
    mails.insert_one({"_id": 1, "delivery": 5})

    Admission(mails, clock, timedelta(days=1)).admit(present(mails), clock())

    assert delivery_of(mails, 1)["expireAt"] == clock() + timedelta(days=1)


@pytest.mark.parametrize("state", [["PENDING"], [None], ["DRAFT", "RETRY"]], ids=repr)
def test_a_list_of_states_is_an_error(
    mails: Mails, admission: Admission, clock: SetClock, state: list[str | None]
) -> None:
    """Every query for PENDING finds it: left alone, it would come back with each sweep."""
    mails.insert_one({"_id": 1, "delivery": {"state": state}})

    assert admission.admit(present(mails), clock()) == []

    assert delivery_of(mails, 1)["error"] == "delivery.state must be a string, not a list"

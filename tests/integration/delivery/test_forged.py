"""Times that somebody else wrote, in mails that the stream has not brought."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from bson import DatetimeMS, Decimal128, MaxKey, MinKey
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from tasks.delivery import forged, indexes, spans
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tests.support.clock import SetClock
from tests.support.deliveries import delivery_of
from tests.support.unreadable_ids import UNREADABLE, insert


Mails = Collection[dict[str, Any]]
NO_TIMES: list[Any] = ["soon", 5, True, {}, {"$gt": 1}, b"x", Decimal128("1"), MinKey(), MaxKey()]
LISTS: list[Any] = [[], [None], ["x"], [DatetimeMS(0)], [DatetimeMS(2**60), None, {}]]


def never_enqueued(sweep: Sweep, state: str | None) -> list[Any]:
    """Find mails without a priority."""
    found, _ = sweep.unqueued(State(state) if state else None, spans.USUAL[1], 10).take()
    return [each.id for each in found]


@pytest.mark.parametrize("time", NO_TIMES, ids=repr)
@pytest.mark.parametrize("name", ["enqueueTime", "nextAttemptTime"])
@pytest.mark.parametrize("state", [None, "PENDING", "RETRY"])
def test_what_is_no_time_is_forgotten(
    mails: Mails, sweep: Sweep, clock: SetClock, state: str | None, name: str, time: Any
) -> None:
    """The mail is found like any other; before, no query of the sweep would ever find it."""
    mails.insert_one({"_id": "mail", "delivery": {"state": state, name: time}})
    assert never_enqueued(sweep, state) == []

    forged.heal(mails, clock(), None)

    assert never_enqueued(sweep, state) == ["mail"]


@pytest.mark.parametrize("times", LISTS, ids=repr)
@pytest.mark.parametrize("name", ["enqueueTime", "nextAttemptTime"])
def test_a_list_of_times_is_no_time(
    mails: Mails, sweep: Sweep, clock: SetClock, name: str, times: list[Any]
) -> None:
    """To the server a list with a date in it is a date, too."""
    mails.insert_one({"_id": "mail", "delivery": {"state": "PENDING", name: times}})

    forged.heal(mails, clock(), None)

    assert delivery_of(mails)[name] is None
    assert never_enqueued(sweep, "PENDING") == ["mail"]


@pytest.mark.parametrize("id", ["broken UTF-8", "a key twice"])
def test_a_list_in_the_place_of_delivery(mails: Mails, clock: SetClock, id: str) -> None:
    """Whatever its `_id` is."""
    insert(mails, UNREADABLE[id], delivery=[1])
    mails.insert_one({"_id": "mail", "delivery": []})

    forged.heal(mails, clock(), None)

    assert mails.count_documents({"delivery.state": "ERROR"}) == 2


def test_a_mail_enqueued_in_the_future_was_not(mails: Mails, sweep: Sweep, clock: SetClock) -> None:
    """Years from now the broker would have lost it."""
    for id, time in enumerate((clock() + timedelta(days=2), DatetimeMS(2**60))):
        mails.insert_one({"_id": id, "delivery": {"state": "PENDING", "enqueueTime": time}})

    forged.heal(mails, clock(), None)

    assert len(never_enqueued(sweep, "PENDING")) == 2


@pytest.mark.parametrize("state", ["PENDING", "RETRY", "PROCESSING", "SUCCESS", "DRAFT"])
def test_other_times_are_left_alone(mails: Mails, clock: SetClock, state: str) -> None:
    """A time to come is a wish, one that has passed is the watcher's; done mails do not wait."""
    times: dict[str, datetime | None] = {
        "enqueueTime": clock() - timedelta(days=3),
        "nextAttemptTime": clock() + timedelta(days=900),
    }
    mails.insert_one({"_id": "mail", "delivery": {"state": state, **times}})
    mails.insert_one({"_id": "done", "delivery": {"state": "SUCCESS", "enqueueTime": "never"}})

    forged.heal(mails, clock(), None)

    assert delivery_of(mails) == {"state": state, **times}
    assert delivery_of(mails, "done")["enqueueTime"] == "never"


TWO_LISTS: list[dict[str, Any]] = [
    {"delivery": {"state": "PENDING", "enqueueTime": [1], "nextAttemptTime": []}},
    {"delivery": {"state": ["PENDING"], "nextAttemptTime": [1]}},
    {"delivery": {"state": [None, "DRAFT"]}, "priority": ["high"]},
    {"delivery": {"state": "RETRY", "enqueueTime": [1]}, "priority": ["high"]},
    {"delivery": [{"state": "PENDING"}], "priority": []},
]


def test_two_lists_of_a_document_keep_no_index_from_being_made(
    mails: Mails, clock: SetClock
) -> None:
    """One that is older than the index must not stop every mail for ever."""
    mails.drop_indexes()
    mails.insert_many([{**fields, "_id": number} for number, fields in enumerate(TWO_LISTS)])
    mails.insert_one({"_id": "draft", "delivery": {"state": "DRAFT", "enqueueTime": [1]}})
    with pytest.raises(OperationFailure, match="parallel arrays"):
        indexes.ensure(mails)

    forged.ensure_indexes(mails, clock(), None)

    assert indexes.LIVE in mails.index_information()
    states = [delivery_of(mails, number)["state"] for number in range(len(TWO_LISTS))]
    assert states == ["PENDING", "ERROR", "ERROR", "RETRY", "ERROR"]
    assert delivery_of(mails, "draft") == {"state": "DRAFT", "enqueueTime": [1]}

"""Mails that were never enqueued, a step at a time, while others come and go."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from tasks.delivery import spans
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tasks.delivery.unqueued import Unqueued
from tests.support.clock import SetClock
from tests.support.deliveries import insert_pending


Mails = Collection[dict[str, Any]]


@pytest.fixture
def unqueued(sweep: Sweep) -> Unqueued:
    """Those without a priority, ten at a time."""
    return sweep.unqueued(State.PENDING, spans.USUAL[1], 10)


def insert(mails: Mails, clock: SetClock, *numbers: int) -> None:
    for number in numbers:
        insert_pending(mails, clock(), number, enqueueTime=None)


def take(mails: Mails, clock: SetClock, unqueued: Unqueued) -> tuple[list[Any], bool]:
    """Take a step, and enqueue it."""
    found, more = unqueued.take()
    ids = [candidate.id for candidate in found]
    mails.update_many({"_id": {"$in": ids}}, {"$set": {"delivery.enqueueTime": clock()}})
    return ids, more


def test_steps_follow_each_other_in_order_of_age(
    mails: Mails, clock: SetClock, unqueued: Unqueued
) -> None:
    """By the order of their inserts, whatever their ids; mails that come meanwhile are last."""
    insert(mails, clock, *reversed(range(25)))

    first, _ = take(mails, clock, unqueued)
    insert(mails, clock, 99)
    second, _ = take(mails, clock, unqueued)
    third, _ = take(mails, clock, unqueued)

    assert first + second + third == [*reversed(range(25)), 99]


def test_only_a_look_from_the_front_says_that_there_are_no_more(
    mails: Mails, clock: SetClock, unqueued: Unqueued
) -> None:
    """An older mail that came to wait behind the cursor is found before a lane is opened."""
    insert(mails, clock, *range(15))
    mails.update_one({"_id": 3}, {"$set": {"delivery.state": "DRAFT"}})
    take(mails, clock, unqueued)
    mails.update_one({"_id": 3}, {"$set": {"delivery.state": "PENDING"}})

    assert take(mails, clock, unqueued) == ([11, 12, 13, 14], True)
    assert take(mails, clock, unqueued) == ([3], False)
    assert take(mails, clock, unqueued) == ([], False)


def test_what_was_taken_by_others_is_not_returned(
    mails: Mails, clock: SetClock, unqueued: Unqueued
) -> None:
    """Each step is read when it is taken."""
    insert(mails, clock, *range(20))
    take(mails, clock, unqueued)
    mails.update_many({"_id": {"$gt": 12}}, {"$set": {"delivery.state": "PROCESSING"}})

    assert take(mails, clock, unqueued)[0] == [10, 11, 12]


def test_a_cursor_the_server_has_closed_begins_anew(
    mails: Mails, clock: SetClock, unqueued: Unqueued, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """The server ends what was not used for ten minutes; nobody notices."""
    insert(mails, clock, *range(20))
    take(mails, clock, unqueued)
    cursor = unqueued._cursor
    assert cursor is not None
    database = mongo_client[mails.database.name]
    killed = database.command("killCursors", mails.name, cursors=[cursor.cursor_id])
    assert killed["cursorsKilled"] == [cursor.cursor_id]

    assert take(mails, clock, unqueued)[0] == list(range(10, 20))

"""The search for lost mails goes on where it ended; and begins anew when it must."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.database import Database

from tasks.backlog import Backlog
from tasks.delivery import indexes
from tasks.delivery.sweep import Sweep
from tasks.lanes import Lane
from tests.support.clock import SetClock
from tests.support.deliveries import insert_pending
from watcher.losses import Losses


EMPTY = Backlog(0, None)


@pytest.fixture
def mails(database: Database[dict[str, Any]]) -> Collection[dict[str, Any]]:
    indexes.ensure(database["mail"])
    return database["mail"]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def losses(mails: Collection[dict[str, Any]], clock: SetClock) -> Losses:
    return Losses(Sweep(mails, clock, None, lease_expired="error"), clock, step=10)


def search(losses: Losses, clock: SetClock) -> list[Any]:
    """Read empty queues, wait until what left them cannot be in hand any more, and search."""
    for lane in Lane:
        losses.note(lane, EMPTY)
    clock.advance(3)
    return [candidate.id for found in losses.find() for candidate in found]


def test_lost_mails_of_every_lane_and_state_are_found(
    mails: Collection[dict[str, Any]], losses: Losses, clock: SetClock
) -> None:
    """PENDING and RETRY, whatever their priority; not those enqueued a moment ago."""
    for number, priority in enumerate(["high", "normal", "low", None, "urgent"]):
        for state in ("PENDING", "RETRY"):
            id = insert_pending(mails, clock(), f"{state} {number}", state=state)
            mails.update_one({"_id": id}, {"$set": {"priority": priority}})
    clock.advance(1)
    lost = mails.distinct("_id")
    insert_pending(mails, clock() + timedelta(seconds=1), "new")

    assert sorted(search(losses, clock)) == sorted(lost)


def test_a_search_goes_on_where_the_last_one_ended(
    mails: Collection[dict[str, Any]], losses: Losses, clock: SetClock
) -> None:
    """It does not go over all that was finished since; `look_again` does."""
    early = clock()
    insert_pending(mails, clock(), "first")
    clock.advance(1)
    assert search(losses, clock) == ["first"]
    mails.delete_one({"_id": "first"})
    insert_pending(mails, early, "written behind our back")
    insert_pending(mails, clock(), "second")
    clock.advance(1)

    assert search(losses, clock) == ["second"]
    mails.delete_one({"_id": "second"})
    assert search(losses, clock) == []
    losses.look_again()
    assert search(losses, clock) == ["written behind our back"]


def test_a_full_step_is_searched_again(
    mails: Collection[dict[str, Any]], losses: Losses, clock: SetClock
) -> None:
    """More lost than one step: the oldest first, and nothing is passed over."""
    for number in range(25):
        insert_pending(mails, clock() + timedelta(milliseconds=number), number)
    clock.advance(1)

    found: list[Any] = []
    while step := search(losses, clock):
        found += step
        mails.delete_many({"_id": {"$in": step}})

    assert found == list(range(25))

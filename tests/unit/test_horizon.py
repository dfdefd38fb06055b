"""When a mail that nobody has claimed counts as lost by the broker."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tasks.backlog import Backlog
from tasks.lanes import Lane
from tests.support.clock import SetClock
from watcher.horizon import FULL_HANDS, IN_HAND, Horizon


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def horizon(clock: SetClock) -> Horizon:
    return Horizon(clock)


def waiting(oldest: datetime) -> Backlog:
    return Backlog(7, oldest)


EMPTY = Backlog(0, None)


def test_nothing_is_lost_before_the_queue_was_read(horizon: Horizon) -> None:
    """A leader that has just begun knows nothing."""
    assert horizon.lost_before(Lane.HIGH) is None


def test_what_left_an_empty_queue_is_lost_after_three_seconds(
    horizon: Horizon, clock: SetClock
) -> None:
    """Hands are free, so a batch shares its rest: nobody holds a mail unclaimed for longer."""
    read = clock()
    horizon.note(Lane.NORMAL, EMPTY)

    clock.advance(IN_HAND.total_seconds() - 0.001)
    assert horizon.lost_before(Lane.NORMAL) is None
    clock.advance(0.001)
    assert horizon.lost_before(Lane.NORMAL) == read
    assert horizon.lost_before(Lane.HIGH) is None


def test_a_mail_may_be_in_hand_as_long_as_the_messages_wait(
    horizon: Horizon, clock: SetClock
) -> None:
    """Messages that wait 20 s say that all hands are full: a popped mail has 20 s more."""
    oldest = clock() - timedelta(seconds=20)
    horizon.note(Lane.NORMAL, waiting(oldest))

    clock.advance(22.9)
    assert horizon.lost_before(Lane.NORMAL) is None
    clock.advance(0.1)
    assert horizon.lost_before(Lane.NORMAL) == oldest


def test_the_allowance_has_an_end(horizon: Horizon, clock: SetClock) -> None:
    """Messages that have waited an hour: what left the queue is lost after a minute."""
    oldest = clock() - timedelta(hours=1)
    horizon.note(Lane.NORMAL, waiting(oldest))

    clock.advance(FULL_HANDS.total_seconds())

    assert horizon.lost_before(Lane.NORMAL) == oldest


def test_a_message_that_waits_is_never_lost(horizon: Horizon, clock: SetClock) -> None:
    """Nobody takes anything for a day: the horizon stays at the oldest message."""
    oldest = clock()
    for _ in range(24):
        horizon.note(Lane.NORMAL, waiting(oldest))
        clock.advance(3600)

    assert horizon.lost_before(Lane.NORMAL) == oldest


def test_the_horizon_never_goes_back(horizon: Horizon, clock: SetClock) -> None:
    """An old message published again (a dead watcher's) does not hide what is lost."""
    horizon.note(Lane.NORMAL, EMPTY)
    proven = clock()
    clock.advance(3)
    assert horizon.lost_before(Lane.NORMAL) == proven

    horizon.note(Lane.NORMAL, waiting(proven - timedelta(hours=1)))
    clock.advance(3600)

    assert horizon.lost_before(Lane.NORMAL) == proven


def test_a_message_from_the_future_proves_no_more_than_now(
    horizon: Horizon, clock: SetClock
) -> None:
    """Another process's clock may be ahead by some milliseconds."""
    read = clock()
    horizon.note(Lane.NORMAL, waiting(read + timedelta(seconds=5)))

    clock.advance(3)

    assert horizon.lost_before(Lane.NORMAL) == read

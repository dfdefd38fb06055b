"""Priorities and their queues."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import lanes
from tasks.lanes import Lane


@pytest.mark.parametrize(
    ("priority", "lane"),
    [
        ("high", Lane.HIGH),
        ("normal", Lane.NORMAL),
        ("low", Lane.LOW),
        (None, Lane.NORMAL),
        ("urgent", Lane.NORMAL),
        ("HIGH", Lane.NORMAL),
        (1, Lane.NORMAL),
        (["high"], Lane.NORMAL),
        ({}, Lane.NORMAL),
    ],
)
def test_only_high_and_low_leave_the_normal_lane(priority: Any, lane: Lane) -> None:
    """A wrong value is normal; the worker reports it."""
    assert lanes.of(priority) is lane


def test_workers_empty_the_lanes_in_this_order() -> None:
    """High first: the order of the queues is the order of BRPOP."""
    assert [lane.queue for lane in Lane] == ["mail.high", "mail.normal", "mail.low"]

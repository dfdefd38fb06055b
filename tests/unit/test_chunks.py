"""How ids are cut into messages."""

from __future__ import annotations

import pytest

from tasks.delivery.candidate import Candidate
from tasks.lanes import Lane
from watcher import chunks


@pytest.mark.parametrize(
    ("ids", "waiting", "batch_size", "size"),
    [
        (1, 0, 50, 1),  # idle: at once
        (16, 0, 50, 1),  # every worker gets one
        (17, 0, 50, 2),
        (160, 0, 50, 10),
        (800, 0, 50, 50),
        (1000, 0, 50, 50),  # never above BATCH_SIZE
        (1, 16, 50, 50),  # the workers have enough to do: as many as there are
        (1000, 15, 50, 50),
        (100, 15, 50, 7),
        (1000, 0, 1, 1),
        (1000, 99, 1, 1),
    ],
)
def test_a_message_grows_with_the_load(ids: int, waiting: int, batch_size: int, size: int) -> None:
    """One id when idle, BATCH_SIZE under load, spread while the queue is short."""
    assert chunks.size(ids, waiting, batch_size) == size


def test_a_burst_that_goes_out_one_by_one_is_not_spread() -> None:
    """Mails whose turns follow each other share a message."""
    candidates = [Candidate(number, "object", "PENDING") for number in range(60)]

    messages = list(chunks.split(candidates, {}, 50, spread=1))

    assert [len(ids) for _, ids in messages] == [50, 10]


def test_high_priority_goes_first_and_order_is_kept() -> None:
    """One lane in a message; ids in the order they came."""
    lanes = {"h": "high", "n": None, "l": "low"}
    candidates = [
        Candidate(f"{lane}{n}", "missing", None, lanes[lane]) for n in (1, 2) for lane in "lnh"
    ]

    messages = list(chunks.split(candidates, dict.fromkeys(Lane, 99), 50))

    assert messages == [
        (Lane.HIGH, ["h1", "h2"]),
        (Lane.NORMAL, ["n1", "n2"]),
        (Lane.LOW, ["l1", "l2"]),
    ]


def test_nothing_is_lost_or_doubled_by_cutting() -> None:
    """The last message is short."""
    candidates = [Candidate(number, "missing") for number in range(120)]

    messages = list(chunks.split(candidates, {Lane.NORMAL: 99}, 50))

    assert [len(ids) for _, ids in messages] == [50, 50, 20]
    assert [id for _, ids in messages for id in ids] == list(range(120))


def test_nothing_makes_no_message() -> None:
    """No candidate, no message."""
    assert list(chunks.split([], {}, 50)) == []

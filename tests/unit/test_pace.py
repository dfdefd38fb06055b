"""How many mails pass the point of no return together."""

from __future__ import annotations

import pytest

from tasks.pace import GROUP_SECONDS, LARGEST, SMALLEST, Pace


@pytest.mark.parametrize(
    ("seconds_each", "size"),
    [(0.0001, LARGEST), (0.02, 12), (0.1, 2), (0.25, SMALLEST), (60, SMALLEST), (0, LARGEST)],
)
def test_a_group_takes_about_a_quarter_of_a_second(seconds_each: float, size: int) -> None:
    """After some groups of that pace; never none, never more than LARGEST."""
    pace = Pace()
    for _ in range(60):
        pace.measured(seconds_each * 10, 10)

    assert pace.group_size() == pytest.approx(size, abs=1)
    assert SMALLEST <= pace.group_size() <= LARGEST


def test_the_first_group_is_small() -> None:
    """Nothing is known of the server yet."""
    assert 1 <= Pace().group_size() < LARGEST / 2


def test_one_slow_mail_does_not_stop_the_rest() -> None:
    """The average forgets: back to fast groups after a few fast ones."""
    pace = Pace()
    pace.measured(20, 1)
    assert pace.group_size() == SMALLEST
    for _ in range(30):
        pace.measured(0.02, 20)

    assert pace.group_size() == LARGEST
    assert GROUP_SECONDS > 0


def test_a_rest_is_cut_for_hands_that_are_free_only() -> None:
    """Into pieces of a group each, sixteen at most; in a long queue it stays one message."""
    pace = Pace()  # a group is five

    assert pace.pieces(range(48), hands_free=False) == [range(48)]
    cut = pace.pieces(range(48), hands_free=True)
    assert [len(piece) for piece in cut] == [5] * 9 + [3]
    assert [id for piece in cut for id in piece] == list(range(48))
    assert len(pace.pieces(range(160), hands_free=True)) == 16
    assert pace.pieces([], hands_free=True) == pace.pieces([], hands_free=False) == []

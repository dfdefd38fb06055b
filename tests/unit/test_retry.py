"""How long a mail waits for its next attempt."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tasks.retry import Backoff


BACKOFF = Backoff(max_attempts=5, base_seconds=30, max_seconds=100)


@pytest.mark.parametrize(
    ("retries", "seconds"),
    [
        (0, 30),
        (1, 60),  # doubled
        (2, 100),  # 120, cut to the longest
        (3, 100),
        (4, None),  # that was the fifth attempt
        (9, None),
    ],
)
def test_waits_double_up_to_the_longest(retries: int, seconds: float | None) -> None:
    """30 s, 60 s, 120 s … and none after the last attempt."""
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert BACKOFF.delay(retries, jitter=lambda: 1.0) == expected


def test_full_jitter() -> None:
    """Any wait from nothing to the whole may come."""
    assert BACKOFF.delay(0, jitter=lambda: 0.0) == timedelta(0)
    assert BACKOFF.delay(0, jitter=lambda: 0.5) == timedelta(seconds=15)


def test_one_attempt_is_the_last() -> None:
    """MAX_ATTEMPTS=1, the default: never by itself."""
    assert Backoff(1, 30, 100).delay(0) is None


def test_a_thousand_attempts_do_not_overflow() -> None:
    """The exponent is bounded."""
    assert Backoff(2000, 30, 3600).delay(1500, jitter=lambda: 1.0) == timedelta(hours=1)

"""When to try again: exponential backoff with full jitter."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


#: 2 to this power, times the shortest delay in seconds, is longer than any longest delay.
_LARGEST_EXPONENT = 40


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double, each cut short at random, so that mails that failed together spread out.

    "Full jitter" of M. Brooker, Exponential Backoff And Jitter (AWS Architecture Blog, 2015).
    """

    #: Attempts in all; 1: no second one.
    max_attempts: int
    #: The longest first wait.
    base_seconds: float
    #: The longest wait of all.
    max_seconds: float

    def delay(
        self, retries: int, *, jitter: Callable[[], float] = random.random
    ) -> timedelta | None:
        """Tell how long to wait before the next attempt; None when none is left.

        `retries`: how many automatic attempts there were after the first. `jitter` gives a
        number from 0 to 1.
        """
        if retries + 1 >= self.max_attempts:
            return None
        exponent = min(retries, _LARGEST_EXPONENT)
        longest = min(self.max_seconds, self.base_seconds * 2**exponent)
        return timedelta(seconds=longest * jitter())

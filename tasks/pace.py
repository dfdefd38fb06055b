"""How many mails pass the point of no return together: as many as take a quarter of a second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


#: Seconds of SMTP in one group: what a crash may leave in phase SENDING, and what a stop waits for.
GROUP_SECONDS = 0.25
#: Seconds of work that are claimed together: with a slow server more than is sent together.
CLAIM_SECONDS = 1.0
LARGEST = 25
#: Also with the slowest server: a mail by itself takes three round trips, two together as many.
SMALLEST = 2
#: Into at most so many messages the rest of a batch is cut.
_PIECES = 16
#: Seconds a mail is taken to need before the first was measured.
_FIRST_GUESS = 0.05
#: Weight of the newest measurement in the moving average.
_WEIGHT = 0.3


class Pace:
    """A moving average of the seconds one mail takes, shared by the threads of a process.

    Threads may overwrite each other's measurement; the average does not mind.
    """

    def __init__(self) -> None:
        self._seconds = _FIRST_GUESS
        #: What it takes to connect and to pass the point of no return.
        self.start = _FIRST_GUESS

    def group_size(self) -> int:
        """Tell how many mails to send between two checks of the leases."""
        return max(SMALLEST, min(LARGEST, int(GROUP_SECONDS / self._seconds)))

    def claim_size(self) -> int:
        """Tell how many mails to claim by one write: a crash has them wait for their leases."""
        return max(SMALLEST, min(LARGEST, int(CLAIM_SECONDS / self._seconds)))

    def seconds(self, mails: int) -> float:
        """Tell how long so many mails are likely to take."""
        return mails * self._seconds

    def pieces(self, ids: Sequence[Any], *, hands_free: bool) -> list[Sequence[Any]]:
        """Cut the rest of a batch into messages: several for hands that are free, else one.

        In a queue that is long a small message would only be a small batch.
        """
        if not ids:
            return []
        size = max(self.group_size(), math.ceil(len(ids) / _PIECES)) if hands_free else len(ids)
        return [ids[start : start + size] for start in range(0, len(ids), size)]

    def measured(self, seconds: float, mails: int) -> None:
        """Note what a group has taken."""
        each = max(seconds / mails, 1e-6)
        self._seconds += _WEIGHT * (each - self._seconds)

    def started(self, seconds: float) -> None:
        """Note what it has taken a group to begin."""
        self.start += _WEIGHT * (seconds - self.start)

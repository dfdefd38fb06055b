"""What keeps the feeder from bringing more: a limit that is used up, a server that is away."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Container

from tasks.lanes import Lane
from tasks.limits.outlook import Circuit, Lookout, Outlook


#: Seconds a look is good for.
_FRESH = 0.1
#: Seconds of turns that the workers give in advance. The rest of a backlog waits in order of
#: priority and age.
AHEAD = 3.0
#: Seconds within which the workers ask for the mails they were given.
_ASKED = 0.5


class Brakes:
    """Looks at most ten times a second. Methods raise redis.RedisError."""

    def __init__(self, lookout: Lookout) -> None:
        self._lookout = lookout
        self._limit = lookout.limit
        self._outlook = Outlook(Circuit.CLOSED)
        self._looked = float("-inf")
        #: When mails were published, in which lane, and how many.
        self._given: deque[tuple[float, Lane, int]] = deque()

    @property
    def has_limit(self) -> bool:
        """Whether there is a limit that holds for every mail."""
        return self._limit is not None

    def circuit(self) -> Circuit:
        """Tell whether the SMTP server can be reached."""
        return self._look().circuit

    def room(self, lane: Lane) -> float:
        """Tell how many more mails of a lane may be published.

        Turns of the lanes below it do not count: a mail of high priority goes first.
        """
        if self._limit is None:
            return math.inf
        outlook = self._look()
        ahead = outlook.first_ahead if lane is Lane.HIGH else outlook.ahead
        interval = self._limit.interval
        turns = math.ceil((max(AHEAD, 2 * interval) - ahead) / interval)
        reserve = 0 if lane is Lane.HIGH else self._limit.reserve
        free = 0 if ahead else max(outlook.free - reserve, 0)
        return max(turns, 0) + free - self._not_asked({lane, *lane.higher})

    def gave(self, lane: Lane, mails: int) -> None:
        """Note that mails were published which have no turn yet."""
        if self._limit is not None:
            self._given.append((time.monotonic(), lane, mails))

    def _not_asked(self, lanes: Container[Lane]) -> int:
        """Count the mails for which no worker may have asked yet."""
        before = time.monotonic() - _ASKED
        while self._given and self._given[0][0] < before:
            self._given.popleft()
        return sum(mails for _, lane, mails in self._given if lane in lanes)

    def _look(self) -> Outlook:
        if time.monotonic() - self._looked > _FRESH:
            self._outlook = self._lookout.look()
            self._looked = time.monotonic()
        return self._outlook

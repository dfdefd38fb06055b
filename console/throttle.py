"""How often a password may be tried: a few times a minute from one address, and in all."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable


WINDOW = 60.0
#: Failures in a window after which an address has to wait.
PER_CLIENT = 5
#: And everybody: who has many addresses gets no further.
IN_ALL = 50
#: Addresses remembered; more cannot have failed within a window.
_REMEMBERED = IN_ALL


class Throttle:
    """Counts an attempt before the password is looked at, so that many at once gain nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all: deque[float] = deque(maxlen=IN_ALL)
        self._clients: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Count an attempt; return 0, or for how many seconds none is allowed."""
        now = self._clock()
        own = self._clients.setdefault(_network(client), deque(maxlen=PER_CLIENT))
        wait = max(_wait(own, PER_CLIENT, now), _wait(self._all, IN_ALL, now))
        if wait <= 0:
            own.append(now)
            self._all.append(now)
        self._clients.move_to_end(_network(client))
        while len(self._clients) > _REMEMBERED:
            self._clients.popitem(last=False)
        return wait

    def forgive(self, client: str) -> None:
        """Take back the attempts of whoever knew the password."""
        own = self._clients.pop(_network(client), None)
        for moment in own or ():
            if moment in self._all:
                self._all.remove(moment)


def _wait(attempts: deque[float], limit: int, now: float) -> float:
    """Tell when the oldest of so many attempts is over."""
    if len(attempts) < limit:
        return 0
    return max(attempts[0] + WINDOW - now, 0)


def _network(client: str) -> str:
    """Who has one IPv6 address has the 2^64 beside it."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if address.version == 6:  # noqa: PLR2004
        return str(ipaddress.ip_network((address, 64), strict=False))
    return client

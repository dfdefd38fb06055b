"""Which transports there are, and which of them takes a mail when another is away."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tasks.limits import reasons
from tasks.limits.troubles import Troubles
from tasks.transport import Transport


#: Mails that wait for a server come back within so many times the time it is left alone.
_SPREAD = 4.0


@dataclass(frozen=True, slots=True)
class Route:
    """A transport, and what is known of its server."""

    transport: Transport
    troubles: Troubles

    @property
    def name(self) -> str:
        """What documents call it."""
        return self.troubles.transport


class Routes:
    """All of a process; the first is the default one."""

    def __init__(self, routes: Sequence[Route], fallback: Sequence[str] = ()) -> None:
        self._routes = {route.name: route for route in routes}
        self._fallback = fallback
        self.first = routes[0]

    def __getitem__(self, name: str) -> Route:
        return self._routes[name]

    @property
    def only_one_and_away(self) -> bool:
        """Whether no mail at all can go out now."""
        return len(self._routes) == 1 and self.first.troubles.is_open

    def instead_of(self, tried: Collection[str]) -> list[Route]:
        """Give the transports of TRANSPORT_FALLBACK that may take a mail, in order."""
        return [
            self._routes[name]
            for name in self._fallback
            if name not in tried and not self._routes[name].troubles.is_open
        ]

    def seconds_away(self, route: Route) -> float:
        """Tell how long mails wait for a server.

        The watcher knows the circuit of a single transport, and leaves them where they are until it
        closes. With several it brings mails for the others: these come by themselves, spread over
        a while.
        """
        if len(self._routes) == 1:
            return reasons.LOOK_AGAIN
        wait = route.troubles.seconds_until_probe
        return wait + _SPREAD * max(wait, 1.0) * random.random()  # noqa: S311

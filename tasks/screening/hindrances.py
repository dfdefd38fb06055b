"""A screen: mails for a domain that pauses, or for a server that is away, are not attempted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from tasks.delivery.returns import Waiting
from tasks.limits import reasons
from tasks.limits.limits import domains_of
from tasks.limits.troubles import Pause
from tasks.routing import Route, Routes
from tasks.screening.screen import Prepared, Screened


class Hindrances:
    """What the workers have told each other."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def __call__(self, group: Sequence[Prepared]) -> Screened:
        """Sort the group; costs nothing while there is no trouble."""
        names = {prepared.mail.transport for prepared in group}
        pauses = {name: found for name in names if (found := self._pauses(name))}
        away = self._away(names)
        if not pauses and not away:
            return Screened(send=list(group))
        screened = Screened()
        for prepared in group:
            name = prepared.mail.transport
            waiting = (
                self._waiting(prepared, away[name])
                if name in away
                else _pausing(prepared, pauses.get(name, {}))
            )
            if waiting is None:
                screened.send.append(prepared)
            else:
                screened.waiting.append(waiting)
        return screened

    def _pauses(self, transport: str) -> dict[str, Pause]:
        now = time.monotonic()
        known = self._routes[transport].troubles.picture().pauses.items()
        return {domain: pause for domain, pause in known if pause.until > now}

    def _away(self, names: Iterable[str]) -> dict[str, Route]:
        """Find the servers to which no connection is tried, and for which none stands in."""
        return {
            name: self._routes[name]
            for name in names
            if self._routes[name].troubles.is_open and not self._routes.instead_of({name})
        }

    def _waiting(self, prepared: Prepared, route: Route) -> Waiting:
        return Waiting(
            prepared.claim,
            self._routes.seconds_away(route),
            reasons.connection(route.transport.server),
        )


def _pausing(prepared: Prepared, pauses: Mapping[str, Pause]) -> Waiting | None:
    """One paused domain among several holds the mail up: attempted, it would be refused for it."""
    held = [domain for domain in domains_of(prepared.mail.recipients) if domain in pauses]
    if not held:
        return None
    last = max(held, key=lambda domain: pauses[domain].until)
    return Waiting(prepared.claim, pauses[last].wait(), reasons.pause(last))

"""A screen: mails for a domain that pauses, or for a server that is away, are not attempted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from tasks.delivery.returns import Waiting
from tasks.limits import reasons
from tasks.limits.limits import domains_of
from tasks.limits.troubles import Pause, Troubles
from tasks.screening.screen import Prepared, Screened


class Hindrances:
    """What the workers have told each other."""

    def __init__(self, troubles: Troubles, server: object) -> None:
        self._troubles = troubles
        self._server = server

    def __call__(self, group: Sequence[Prepared]) -> Screened:
        """Sort the group; costs nothing while there is no trouble."""
        if self._troubles.is_open:
            why = reasons.connection(self._server)
            return Screened(
                waiting=[Waiting(each.claim, reasons.LOOK_AGAIN, why) for each in group]
            )
        now = time.monotonic()
        known = self._troubles.picture().pauses.items()
        pauses = {domain: pause for domain, pause in known if pause.until > now}
        if not pauses:
            return Screened(send=list(group))
        screened = Screened()
        for prepared in group:
            waiting = _pausing(prepared, pauses)
            if waiting is None:
                screened.send.append(prepared)
            else:
                screened.waiting.append(waiting)
        return screened


def _pausing(prepared: Prepared, pauses: Mapping[str, Pause]) -> Waiting | None:
    """One paused domain among several holds the mail up: attempted, it would be refused for it."""
    held = [domain for domain in domains_of(prepared.mail.recipients) if domain in pauses]
    if not held:
        return None
    last = max(held, key=lambda domain: pauses[domain].until)
    return Waiting(prepared.claim, pauses[last].wait(), reasons.pause(last))

"""Whether and when a mail is tried again by itself; what it met is told to the other workers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tasks.clock import Now
from tasks.delivery.claim import Claim
from tasks.delivery.results import Again
from tasks.envelope import Mail
from tasks.errors import MailError, Transient
from tasks.limits import reasons
from tasks.limits.limits import domains_of
from tasks.limits.troubles import Pause
from tasks.outcome import Outcome
from tasks.retry import Backoff
from tasks.routing import Routes


#: Answers of a server that has had too many mails; the attempts after these count like any other.
MOST_THROTTLED = 100


class Retries:
    """The policy of MAX_ATTEMPTS."""

    def __init__(self, backoff: Backoff, routes: Routes, now: Now) -> None:
        self._backoff = backoff
        self._routes = routes
        self._now = now

    def __call__(
        self, claim: Claim, mail: Mail | None, answer: Outcome | MailError
    ) -> Again | None:
        """Tell when the next automatic attempt is; None: there is none.

        A server that asks for fewer mails makes its domain pause for all workers, on this
        transport. Then the attempt does not count, unless the mail met another refusal, too.
        """
        pauses = self._slow_down(mail, answer)
        if not _may_help(answer) or self._backoff.max_attempts == 1:
            return None
        earlier = claim.earlier
        delay = self._backoff.delay(earlier.retries)
        if not pauses:
            return None if delay is None else Again(self._now() + max(delay, _asked_for(answer)))
        last = max(pauses, key=lambda domain: pauses[domain].until)
        wait = timedelta(seconds=pauses[last].wait())
        why = reasons.pause(last)
        if _only_throttled(answer) and earlier.throttled < MOST_THROTTLED:
            return Again(self._now() + wait, throttled=True, waits_for=why)
        return None if delay is None else Again(self._now() + max(delay, wait), waits_for=why)

    def _slow_down(self, mail: Mail | None, answer: Outcome | MailError) -> Mapping[str, Pause]:
        if isinstance(answer, Outcome):
            recipients = answer.throttled
        elif mail is not None and isinstance(answer, Transient) and answer.throttled:
            recipients = mail.recipients
        else:
            return {}
        if mail is None or not recipients:
            return {}
        return self._routes[mail.transport].troubles.slow_down(domains_of(recipients))


def _may_help(answer: Outcome | MailError) -> bool:
    if isinstance(answer, Outcome):
        return bool(answer.pending)
    return isinstance(answer, Transient)


def _asked_for(answer: Outcome | MailError) -> timedelta:
    """Give the time for which the server wants no more mails."""
    return timedelta(seconds=answer.retry_after if isinstance(answer, Transient) else 0)


def _only_throttled(answer: Outcome | MailError) -> bool:
    if isinstance(answer, Outcome):
        return len(answer.throttled) == len(answer.pending)
    return isinstance(answer, Transient) and answer.throttled

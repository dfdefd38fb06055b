"""Brings in mails whose time has come, as soon as it comes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

import structlog

from tasks.clock import Now
from tasks.delivery import spans
from tasks.delivery.candidate import Candidate, Time, milliseconds
from tasks.delivery.spans import Span
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tasks.observing import recorder
from watcher.enqueueing import Enqueue


#: Seconds between two looks, however many mails are due.
_SHORTEST_LOOK = 0.1
_WAITING = (State.PENDING, State.RETRY)

_log = structlog.get_logger(__name__)


class Due:
    """Mails with a `nextAttemptTime`: sendAt, an automatic retry, or a turn within a limit."""

    def __init__(
        self, sweep: Sweep, now: Now, enqueue: Enqueue, *, step: int, look_every: float
    ) -> None:
        """`look_every`: seconds between two looks for times that nobody has told us of."""
        self._sweep = sweep
        self._now = now
        self._recorder = recorder()
        self._enqueue = enqueue
        self._step = step
        self._look_every = look_every
        #: time.monotonic() of the next look.
        self.next_look = 0.0
        #: The first time that was due at the last look.
        self._last: int | None = None

    def expect(self, due: Time, now: datetime) -> None:
        """Look again when a mail is due that has just been seen; `now` is the server's time."""
        left = (milliseconds(due) - milliseconds(now)) / 1000
        self._look_in(left)

    def bring(self) -> None:
        """Enqueue what is due. Raises PyMongoError or one of enqueue.BROKER_ERRORS."""
        self.next_look = time.monotonic() + self._look_every
        times = [self._sweep.earliest(state, span) for span in spans.USUAL for state in _WAITING]
        first = min((each for each in times if each is not None), default=None)
        if first is None:
            return
        now = self._now()
        if first > milliseconds(now):
            self._look_in((first - milliseconds(now)) / 1000)
            return
        more = self.bring_of(spans.USUAL)
        # A document that cannot be written stays due: no reason to hurry.
        same, self._last = first == self._last, first
        self._look_in(self._look_every if same and not more else 0.0)

    def bring_of(self, among: Sequence[Span]) -> bool:
        """Enqueue a step of each state; True: there may be more."""
        more = False
        for span in among:
            for state in _WAITING:
                found = self._sweep.due(state, span, self._step)
                more |= len(found) == self._step
                if found:
                    self._enqueue(found)
                    _log.debug("sweep.enqueued", why="due", mails=len(found))
                    self._recorder.swept("due", len(found))
        return more

    def any_mail(self) -> Sequence[Candidate]:
        """Give one that is due, if there is any."""
        for span in spans.ALL:
            for state in _WAITING:
                if found := self._sweep.due(state, span, 1):
                    return found
        return []

    def _look_in(self, seconds: float) -> None:
        at = time.monotonic() + max(seconds, _SHORTEST_LOOK)
        self.next_look = min(self.next_look, at)

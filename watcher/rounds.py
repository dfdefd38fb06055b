"""What the leader does by the clock: feed the queues, and sweep up what was left behind."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from config.settings import Settings
from tasks.clock import Now
from tasks.delivery.candidate import Candidate, Time, milliseconds
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tasks.lanes import Lane
from tasks.limits.outlook import Circuit
from watcher.gauge import Gauge


#: Seconds between two looks for room in the queues, and for mails that are due later.
FEED_EVERY = 1.0
#: The same for mails that are due, when a limit makes them wait for moments.
SHORT_LOOK = 0.1
#: Seconds between two looks for mails that are due, however many there are.
_SHORTEST_LOOK = 0.05
#: Seconds between two looks while the SMTP server is away.
_LOOK_AT_CIRCUIT = 0.2
#: Expired leases in one step; between two steps the stream has its turn.
PAGE = 1000
#: Seconds a mail may be in a worker's hands before its claim (a batch's time slice and more).
#: A mail enqueued longer ago, and before everything still in the queue, was lost by the broker.
IN_HAND = timedelta(seconds=3)
_WAITING = (State.PENDING, State.RETRY)
#: Of the log. Under a limit mails are due all the time.
_LEVELS = {"due": logging.DEBUG, "waiting": logging.INFO, "lost": logging.INFO}

_log = structlog.get_logger(__name__)


class Enqueue(Protocol):
    """Admits and publishes candidates; `fed`: there is room for them."""

    def __call__(self, candidates: Sequence[Candidate], *, fed: bool = False) -> None: ...


class Rounds:
    """The leader's timer. Every query is an index scan over at most one step of waiting mails."""

    def __init__(
        self,
        sweep: Sweep,
        gauge: Gauge,
        now: Now,
        enqueue: Enqueue,
        *,
        settings: Settings,
    ) -> None:
        self._sweep = sweep
        self._gauge = gauge
        self._now = now
        self._enqueue = enqueue
        self._sweep_seconds = settings.sweep_seconds
        #: How soon a mail may be due that a worker has made wait.
        limited = settings.rate_limit or settings.rate_limit_domains
        self._look_seconds = SHORT_LOOK if limited else FEED_EVERY
        self._next_due = self._next_feed = self._next_sweep = self._next_leases = 0.0
        #: The first time that was due at the last look.
        self._last_due: int | None = None

    def wait(self) -> float:
        """Tell the seconds until something is due."""
        first = min(self._next_due, self._next_feed, self._next_sweep)
        return max(0.0, first - time.monotonic())

    def expect(self, due: Time, now: datetime) -> None:
        """Look again when a mail is due that has just been seen; `now` is the server's time."""
        left = (milliseconds(due) - milliseconds(now)) / 1000
        self._next_due = min(self._next_due, time.monotonic() + max(left, _SHORTEST_LOOK))

    def tick(self) -> None:
        """Do what is due. Raises PyMongoError or one of enqueue.BROKER_ERRORS."""
        self.end_leases()
        if time.monotonic() >= min(self._next_due, self._next_feed):
            circuit = self._gauge.brakes.circuit()
            if circuit is Circuit.CLOSED:
                self._bring()
            else:
                self._stand_still(circuit)
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + self._sweep_seconds
            self._find_lost()

    def end_leases(self) -> None:
        """Settle expired leases when that is due; needs no broker. Raises PyMongoError."""
        if time.monotonic() < self._next_leases:
            return
        self._next_leases = time.monotonic() + self._sweep_seconds
        expired = self._sweep.expired_leases(PAGE)
        if expired:
            settled = self._sweep.end_leases(expired)
            _log.warning("sweep.leases_expired", mails=settled)
        if len(expired) == PAGE:
            self._next_leases = 0.0

    def _bring(self) -> None:
        if time.monotonic() >= self._next_due:
            self._next_due = time.monotonic() + self._look_seconds
            self._take_due()
        if time.monotonic() >= self._next_feed:
            self._next_feed = time.monotonic() + FEED_EVERY
            for lane in Lane:
                if self._feed(lane):
                    self._next_feed = 0.0

    def _stand_still(self, circuit: Circuit) -> None:
        """While the SMTP server is away every mail waits here, but for one that tries it."""
        self._next_due = self._next_feed = time.monotonic() + _LOOK_AT_CIRCUIT
        self._gauge.feeding |= set(Lane)
        if circuit is Circuit.HALF_OPEN and not any(self._gauge.messages().values()):
            one = self._any_mail()
            if one:
                self._enqueue(one, fed=True)

    def _any_mail(self) -> Sequence[Candidate]:
        for state in _WAITING:
            if found := self._sweep.due(state, 1):
                return found
        for lane in Lane:
            for waiting in (None, *_WAITING):
                if found := self._sweep.waiting(waiting, lane, 1, enqueued_before=None):
                    return found
        return []

    def _take_due(self) -> None:
        times = [self._sweep.earliest(state) for state in _WAITING]
        first = min((each for each in times if each is not None), default=None)
        if first is None:
            return
        now = self._now()
        if first <= milliseconds(now):
            more = [
                self._take("due", self._sweep.due(state, self._gauge.step)) for state in _WAITING
            ]
            # A document that cannot be written stays due: no reason to hurry.
            same, self._last_due = first == self._last_due, first
            left = self._look_seconds if same and not any(more) else 0.0
        else:
            left = (first - milliseconds(now)) / 1000
        self._next_due = min(self._next_due, time.monotonic() + max(left, _SHORTEST_LOOK))

    def _feed(self, lane: Lane) -> bool:
        """Bring mails that were never enqueued into a queue that runs low; True: at once more."""
        if self._gauge.look_now(lane).messages > self._gauge.limit // 2:
            return False
        self._gauge.feeding.discard(lane)
        more = False
        for state in (None, *_WAITING):
            room = int(self._gauge.room(lane))
            if room < 1:
                # What comes next waits behind those that may be left.
                self._gauge.feeding.add(lane)
                return False
            found = self._sweep.waiting(state, lane, room, enqueued_before=None)
            self._take("waiting", found, fed=True)
            more |= len(found) == room
        if more:
            self._gauge.feeding.add(lane)
        return more

    def _find_lost(self) -> None:
        for lane in Lane:
            oldest = self._gauge.look_now(lane).oldest
            in_hand = self._now() - IN_HAND
            horizon = min(oldest, in_hand) if oldest else in_hand
            for state in _WAITING:
                if self._take("lost", self._lost(state, lane, horizon)):
                    self._next_sweep = 0.0

    def _lost(self, state: State, lane: Lane, horizon: datetime) -> list[Candidate]:
        return self._sweep.waiting(state, lane, self._gauge.step, enqueued_before=horizon)

    def _take(self, why: str, found: Sequence[Candidate], *, fed: bool = False) -> bool:
        """Enqueue what was found; True when there may be more."""
        if found:
            self._enqueue(found, fed=fed)
            _log.log(_LEVELS[why], "sweep.enqueued", why=why, mails=len(found))
        return len(found) == self._gauge.step

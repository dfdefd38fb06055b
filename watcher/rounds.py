"""What the leader does by the clock: feed the queues, and sweep up what was left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from tasks.clock import Now
from tasks.delivery.candidate import Candidate
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tasks.lanes import Lane
from watcher.gauge import Gauge


#: Seconds between two looks for due mails and room in the queues.
FEED_EVERY = 1.0
#: Expired leases in one step; between two steps the stream has its turn.
PAGE = 1000
#: Seconds a mail may be in a worker's hands before its claim (a batch's time slice and more).
#: A mail enqueued longer ago, and before everything still in the queue, was lost by the broker.
IN_HAND = timedelta(seconds=3)

#: Admits and publishes candidates.
Enqueue = Callable[[Sequence[Candidate]], None]

_log = structlog.get_logger(__name__)


class Rounds:
    """The leader's timer. Every query is an index scan over at most one step of waiting mails."""

    def __init__(
        self, sweep: Sweep, gauge: Gauge, now: Now, enqueue: Enqueue, sweep_seconds: float
    ) -> None:
        self._sweep = sweep
        self._gauge = gauge
        self._now = now
        self._enqueue = enqueue
        self._sweep_seconds = sweep_seconds
        self._next_feed = self._next_sweep = self._next_leases = 0.0

    def wait(self) -> float:
        """Tell the seconds until something is due."""
        return max(0.0, min(self._next_feed, self._next_sweep) - time.monotonic())

    def tick(self) -> None:
        """Do what is due. Raises PyMongoError or one of enqueue.BROKER_ERRORS."""
        self.end_leases()
        if time.monotonic() >= self._next_feed:
            self._next_feed = time.monotonic() + FEED_EVERY
            self._feed_all()
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

    def _feed_all(self) -> None:
        more = False
        for state in (State.PENDING, State.RETRY):
            more |= self._take("due", self._sweep.due(state, self._gauge.step))
        for lane in Lane:
            more |= self._feed(lane)
        if more:
            self._next_feed = 0.0

    def _feed(self, lane: Lane) -> bool:
        """Bring mails that were never enqueued into a queue that runs low; True: there are more."""
        if self._gauge.look_now(lane).messages > self._gauge.limit // 2:
            return False
        more = False
        self._gauge.feeding.discard(lane)
        for state in (None, State.PENDING, State.RETRY):
            found = self._sweep.waiting(state, lane, self._gauge.step, enqueued_before=None)
            more |= self._take("waiting", found)
        if more:
            self._gauge.feeding.add(lane)
        return more

    def _find_lost(self) -> None:
        for lane in Lane:
            oldest = self._gauge.look_now(lane).oldest
            in_hand = self._now() - IN_HAND
            horizon = min(oldest, in_hand) if oldest else in_hand
            for state in (State.PENDING, State.RETRY):
                if self._take("lost", self._lost(state, lane, horizon)):
                    self._next_sweep = 0.0

    def _lost(self, state: State, lane: Lane, horizon: datetime) -> list[Candidate]:
        return self._sweep.waiting(state, lane, self._gauge.step, enqueued_before=horizon)

    def _take(self, why: str, found: Sequence[Candidate]) -> bool:
        """Enqueue what was found; True when there may be more."""
        if found:
            self._enqueue(found)
            _log.info("sweep.enqueued", why=why, mails=len(found))
        return len(found) == self._gauge.step

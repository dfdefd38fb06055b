"""What the leader does by the clock: feed the queues, and sweep up what was left behind."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog

from tasks.clock import Now
from tasks.delivery import spans
from tasks.delivery.candidate import Candidate
from tasks.delivery.spans import Span
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tasks.lanes import Lane
from watcher.feeder import Enqueue, Feeder
from watcher.gauge import Gauge
from watcher.losses import Losses


#: Seconds between two looks for due mails and room in the queues.
FEED_EVERY = 1.0
#: Expired leases in one step; between two steps the stream has its turn.
PAGE = 1000

_log = structlog.get_logger(__name__)


class Rounds:
    """The leader's timer. Every query is an index scan over at most one step of waiting mails."""

    def __init__(
        self, sweep: Sweep, gauge: Gauge, now: Now, enqueue: Enqueue, sweep_seconds: float
    ) -> None:
        self._sweep = sweep
        self._gauge = gauge
        self._losses = Losses(sweep, now, gauge.step)
        self._feeder = Feeder(sweep, gauge, enqueue, sweep_seconds)
        self._enqueue = enqueue
        self._sweep_seconds = sweep_seconds
        self._next_feed = self._next_sweep = self._next_leases = 0.0
        #: Events of the stream since the last feeding.
        self._events = 0

    def wait(self) -> float:
        """Tell the seconds until something is due."""
        return max(0.0, min(self._next_feed, self._next_sweep) - time.monotonic())

    def handled(self, events: int) -> None:
        """Note how much the stream has brought."""
        self._events += events

    def primary_changed(self) -> None:
        """Look everywhere again: a fail-over may have rolled back what is not majority-written."""
        self._feeder.look_again()
        self._losses.look_again()

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
        if self._events >= self._gauge.step:
            self._feeder.stream_is_busy()
        self._events = 0
        more = self._find_due(spans.USUAL)
        for lane in Lane:
            self._losses.note(lane, self._gauge.look_now(lane))
            more |= self._feeder.feed(lane)
        if more:
            self._next_feed = 0.0

    def _find_due(self, among: Sequence[Span]) -> bool:
        more = False
        for span in among:
            for state in (State.PENDING, State.RETRY):
                more |= self._take("due", self._sweep.due(state, span, self._gauge.step))
        return more

    def _find_lost(self) -> None:
        more = self._find_due([spans.ODD])
        for lane in Lane:
            self._losses.note(lane, self._gauge.look_now(lane))
        for found in self._losses.find():
            more |= self._take("lost", found)
        if more:
            self._next_sweep = 0.0

    def _take(self, why: str, found: Sequence[Candidate]) -> bool:
        """Enqueue what was found; True when there may be more."""
        if found:
            self._enqueue(found)
            _log.info("sweep.enqueued", why=why, mails=len(found))
        return len(found) == self._gauge.step

"""What the leader does by the clock: feed the queues, and sweep up what was left behind."""

from __future__ import annotations

import time
from datetime import datetime

import structlog

from config.settings import Settings
from tasks.clock import Now
from tasks.delivery import spans
from tasks.delivery.candidate import Time
from tasks.delivery.sweep import Sweep
from tasks.lanes import Lane
from tasks.limits.limits import Limits
from tasks.limits.outlook import Circuit
from tasks.observing import recorder
from watcher.due import Due
from watcher.enqueueing import Enqueue
from watcher.feeder import Feeder
from watcher.gauge import Gauge
from watcher.losses import Losses


#: Seconds between two looks for room in the queues, and for mails that are due later.
FEED_EVERY = 1.0
#: The same for room in the queues, when mails wait for it: no queue must run dry.
_FEED_AGAIN = 0.2
#: The same for mails that are due, when a limit makes them wait for moments.
SHORT_LOOK = 0.1
#: Seconds between two looks while the SMTP server is away.
_LOOK_AT_CIRCUIT = 0.2
#: Expired leases in one step; between two steps the stream has its turn.
PAGE = 1000

_log = structlog.get_logger(__name__)


class Rounds:
    """The leader's timer. Every query is an index scan over at most one step of waiting mails."""

    def __init__(
        self, sweep: Sweep, gauge: Gauge, now: Now, enqueue: Enqueue, *, settings: Settings
    ) -> None:
        self._sweep = sweep
        self._gauge = gauge
        self._now = now
        self._recorder = recorder()
        self._enqueue = enqueue
        self._sweep_seconds = settings.sweep_seconds
        #: How soon a mail may be due that a worker has made wait.
        look_every = SHORT_LOOK if Limits(settings) else FEED_EVERY
        self._due = Due(sweep, now, enqueue, step=gauge.step, look_every=look_every)
        self._losses = Losses(sweep, now, gauge.step)
        self._feeder = Feeder(sweep, gauge, enqueue, settings.sweep_seconds)
        self._next_feed = self._next_sweep = self._next_leases = 0.0
        #: Events of the stream since the last feeding.
        self._events = 0

    def wait(self) -> float:
        """Tell the seconds until something is due."""
        first = min(self._due.next_look, self._next_feed, self._next_sweep)
        return max(0.0, first - time.monotonic())

    def expect(self, due: Time, now: datetime) -> None:
        """Look again when a mail is due that has just been seen; `now` is the server's time."""
        self._due.expect(due, now)

    def handled(self, events: int) -> None:
        """Note how much the stream has brought."""
        self._events += events

    def look_soon(self) -> None:
        """Look for mails that the stream cannot name."""
        self._feeder.look_soon()

    def primary_changed(self) -> None:
        """Look everywhere again: a fail-over may have rolled back what is not majority-written."""
        self._feeder.look_again()
        self._losses.look_again()

    def tick(self) -> None:
        """Do what is due. Raises PyMongoError or one of enqueue.BROKER_ERRORS."""
        self.end_leases()
        if time.monotonic() >= min(self._due.next_look, self._next_feed):
            circuit = self._gauge.brakes.circuit()
            self._recorder.circuit(circuit)
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
            self._recorder.swept("lease_expired", settled)
        if len(expired) == PAGE:
            self._next_leases = 0.0

    def _bring(self) -> None:
        if time.monotonic() >= self._due.next_look:
            self._due.bring()
        if time.monotonic() >= self._next_feed:
            self._feed_all()

    def _feed_all(self) -> None:
        if self._events >= self._gauge.step:
            self._feeder.stream_is_busy()
        self._events = 0
        more = False
        for lane in Lane:
            self._note(lane)
            more |= self._feeder.feed(lane)
        hurry = self._gauge.feeding and not self._gauge.brakes.has_limit
        pause = _FEED_AGAIN if hurry else FEED_EVERY
        self._next_feed = 0.0 if more else time.monotonic() + pause

    def _note(self, lane: Lane) -> None:
        backlog = self._gauge.look_now(lane)
        self._losses.note(lane, backlog)
        self._recorder.queue(lane, backlog.messages, backlog.oldest, self._now)

    def _stand_still(self, circuit: Circuit) -> None:
        """While the SMTP server is away every mail waits here, but for one that tries it."""
        self._due.next_look = self._next_feed = time.monotonic() + _LOOK_AT_CIRCUIT
        self._gauge.feeding |= set(Lane)
        if circuit is Circuit.HALF_OPEN and not any(self._gauge.messages().values()):
            one = self._due.any_mail() or self._feeder.any_mail()
            if one:
                self._enqueue(one, fed=True)

    def _find_lost(self) -> None:
        more = self._due.bring_of([spans.ODD])
        for lane in Lane:
            self._note(lane)
        for found in self._losses.find():
            if found:
                self._enqueue(found)
                _log.info("sweep.enqueued", why="lost", mails=len(found))
                self._recorder.swept("lost", len(found))
            more |= len(found) == self._gauge.step
        if more:
            self._next_sweep = 0.0

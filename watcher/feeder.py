"""Feeds the queues with what waits in MongoDB, each lane for itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog

from tasks.delivery import spans
from tasks.delivery.candidate import Candidate
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tasks.delivery.unqueued import Unqueued
from tasks.lanes import Lane
from watcher.gauge import Gauge


#: Seconds between two looks for mails of high priority that the stream has not brought yet: it may
#: be far behind.
_HIGH_EVERY = 1.0

#: Admits and publishes candidates.
Enqueue = Callable[[Sequence[Candidate]], None]

_log = structlog.get_logger(__name__)


class Feeder:
    """Brings in mails that were never enqueued, oldest first, when a queue runs low.

    A lane that is being fed is looked at whenever there is room. In the others there should be
    nothing: the stream brings everything.
    """

    def __init__(self, sweep: Sweep, gauge: Gauge, enqueue: Enqueue, look_every: float) -> None:
        self._gauge = gauge
        self._enqueue = enqueue
        self._look_every = look_every
        self._next_look = dict.fromkeys(Lane, 0.0)
        self._waiting: dict[Lane, list[Unqueued]] = {lane: [] for lane in Lane}
        self._new: dict[Lane, list[Unqueued]] = {lane: [] for lane in Lane}
        for span in spans.ALL:
            for state in (State.PENDING, State.RETRY):
                self._waiting[span.lane].append(sweep.unqueued(state, span, gauge.step))
            self._new[span.lane].append(sweep.unqueued(None, span, gauge.step))

    def feed(self, lane: Lane) -> bool:
        """Feed one lane; True: there are more. Raises PyMongoError or enqueue.BROKER_ERRORS."""
        due = time.monotonic() >= self._next_look[lane]
        if due:
            self._next_look[lane] = time.monotonic() + self._pause(lane)
        more = False
        if self._gauge.runs_low(lane) and (due or lane in self._gauge.feeding):
            self._gauge.feeding.discard(lane)
            more = self._bring_in(lane)
            if more:
                self._gauge.feeding.add(lane)
        if due or any(source.is_open for source in self._new[lane]):
            more |= self._admit_new(lane)
        return more

    def _bring_in(self, lane: Lane) -> bool:
        """Enqueue a step of each kind of waiting mail."""
        more = False
        for source in self._waiting[lane]:
            found, goes_on = source.take()
            more |= goes_on
            self._pass_on(lane, found)
            if lane in self._gauge.feeding:  # no room any more: some of these were left
                source.close()
                return True
        return more

    def _admit_new(self, lane: Lane) -> bool:
        """Write PENDING where there is no state; in a lane that is fed, they wait their turn."""
        more = False
        for source in self._new[lane]:
            found, goes_on = source.take()
            more |= goes_on
            self._pass_on(lane, found)
        return more

    def _pass_on(self, lane: Lane, found: Sequence[Candidate]) -> None:
        if found:
            self._enqueue(found)
            _log.info("sweep.enqueued", why="waiting", lane=lane, mails=len(found))

    def _pause(self, lane: Lane) -> float:
        return min(self._look_every, _HIGH_EVERY) if lane is Lane.HIGH else self._look_every

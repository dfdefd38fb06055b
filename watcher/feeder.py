"""Feeds the queues with what waits in MongoDB, each lane for itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from tasks.delivery import spans
from tasks.delivery.candidate import Candidate
from tasks.delivery.spans import Span
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tasks.delivery.unqueued import Unqueued
from tasks.lanes import Lane
from tasks.observing import recorder
from watcher.enqueueing import Enqueue
from watcher.gauge import Gauge


#: Seconds between two looks where nothing should be: the stream brings everything.
NET_EVERY = 60.0
#: Seconds between two looks for new mails of high priority while the stream has much to bring, and
#: for mails that it cannot name.
_SOON = 1.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Source:
    """Where mails may wait, and when to look there again (a time.monotonic())."""

    mails: Unqueued
    span: Span
    next_look: float = 0.0

    @property
    def is_due(self) -> bool:
        return self.mails.is_open or time.monotonic() >= self.next_look


class Feeder:
    """Brings in mails that were never enqueued, oldest first, when a queue runs low."""

    def __init__(self, sweep: Sweep, gauge: Gauge, enqueue: Enqueue, look_every: float) -> None:
        self._gauge = gauge
        self._recorder = recorder()
        self._enqueue = enqueue
        #: Seconds between two looks at the empty places of a lane that is being fed.
        self._look_every = min(look_every, NET_EVERY)
        self._waiting: dict[Lane, list[_Source]] = {lane: [] for lane in Lane}
        self._new: dict[Lane, list[_Source]] = {lane: [] for lane in Lane}
        for span in spans.ALL:
            for state in (State.PENDING, State.RETRY):
                source = _Source(sweep.unqueued(state, span, gauge.step), span)
                self._waiting[span.lane].append(source)
            new = _Source(sweep.unqueued(None, span, gauge.step), span)
            self._new[span.lane].append(new)

    def look_again(self) -> None:
        """Look everywhere the next time: another primary may have forgotten what we wrote."""
        for source in self._all():
            source.mails.close()
            source.next_look = 0.0

    def look_soon(self) -> None:
        """Look everywhere soon: the stream has brought mails that it cannot name."""
        soon = time.monotonic() + _SOON
        for source in self._all():
            source.next_look = min(source.next_look, soon)

    def stream_is_busy(self) -> None:
        """Look for new mails of high priority soon: in the stream they stand behind the others."""
        for source in self._new[Lane.HIGH]:
            source.next_look = min(source.next_look, time.monotonic() + _SOON)

    def feed(self, lane: Lane) -> bool:
        """Feed one lane; True: there are more. Raises PyMongoError or enqueue.BROKER_ERRORS."""
        more = False
        if self._gauge.runs_low(lane):
            more = self._bring_in(lane)
        for source in self._new[lane]:
            if source.is_due:
                more |= self._step(source)
        return more

    def any_mail(self) -> Sequence[Candidate]:
        """Give one that waits, of the highest lane that has one."""
        for lane in Lane:
            for source in (*self._waiting[lane], *self._new[lane]):
                source.mails.close()
                found, _ = source.mails.take(1)
                source.mails.close()
                source.next_look = 0.0
                if found:
                    return found
        return []

    def _bring_in(self, lane: Lane) -> bool:
        """Enqueue a step from each place; the lane takes new mails when all of them are empty."""
        was_fed = lane in self._gauge.feeding
        sources = self._waiting[lane]
        if was_fed and not any(source.mails.is_open for source in sources):
            for source in sources:  # to be sure
                source.next_look = 0.0
        self._gauge.feeding.discard(lane)
        pause = self._look_every if was_fed else NET_EVERY
        more = False
        for number, source in enumerate(sources):
            if not source.is_due:
                continue
            room = int(self._gauge.room(lane))
            if room < 1:  # what comes next waits behind those that may be left
                self._gauge.feeding.add(lane)
                source.next_look = 0.0
                self._waiting[lane] = sources[number:] + sources[:number]  # it is first next time
                return more
            more |= self._step(source, pause, room)
        if more:
            self._gauge.feeding.add(lane)
        return more

    def _step(self, source: _Source, pause: float = NET_EVERY, room: int | None = None) -> bool:
        """Enqueue a step; `room`: for so many there is room, None: nobody has looked."""
        found, more = source.mails.take(room)
        source.next_look = time.monotonic() + (NET_EVERY if source.span.is_odd else pause)
        if room is not None and room < self._gauge.step:
            # A limit lets in few at a time: what the cursor has read ahead would grow old.
            source.mails.close()
            source.next_look = 0.0 if more else source.next_look
        if found:
            self._enqueue(found, fed=room is not None)
            _log.info("sweep.enqueued", why="waiting", lane=source.span.lane, mails=len(found))
            self._recorder.swept("waiting", len(found))
        return more

    def _all(self) -> Iterator[_Source]:
        for sources in (*self._waiting.values(), *self._new.values()):
            yield from sources

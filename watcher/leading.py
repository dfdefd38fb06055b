"""What the leader does: events → PENDING → messages → resume token, and its rounds."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

import structlog
from pymongo import WriteConcern
from pymongo.collection import Collection

from config.mongo import Document
from config.settings import Settings
from tasks import enqueue
from tasks.clock import ServerClock
from tasks.delivery.admit import Admission
from tasks.delivery.candidate import PROJECTION, Candidate
from tasks.delivery.ids import key
from tasks.delivery.sweep import Sweep
from tasks.lanes import Lane
from tasks.limits.connect import connect
from tasks.limits.outlook import Lookout
from tasks.observing import pulses, recorder
from watcher import chunks
from watcher.brakes import Brakes
from watcher.gauge import Gauge
from watcher.leader import RENEW_EVERY, Leader
from watcher.rounds import Rounds
from watcher.stream import Stream


#: Seconds to wait for more events while the workers have enough to do anyway.
LINGER = 0.05
#: Seconds between two saves of the resume token while events keep coming. An idle stream's token
#: is saved when the lease is due for renewal, by the same write.
SAVE_EVERY = 0.25
#: Among so many messages mails are spread whose turns follow each other.
TOGETHER = 1
#: Seconds between two tries while the broker is away.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Leading:
    """One leadership, on one open stream."""

    def __init__(
        self,
        mails: Collection[Document],
        settings: Settings,
        leader: Leader,
        stream: Stream,
        stop: threading.Event,
    ) -> None:
        self._mails = mails
        self._leader = leader
        self._stream = stream
        self._stop = stop
        self._recorder = recorder()
        self._batch_size = settings.batch_size
        self._now = ServerClock(mails.database.client)
        loosely = mails.with_options(write_concern=WriteConcern(w=1))
        self._admission = Admission(loosely, self._now, settings.ttl)
        brakes = Brakes(Lookout(connect(settings), settings))
        self._gauge = Gauge(settings.queue_limit, settings.batch_size, brakes)
        sweep = Sweep(mails, self._now, settings.ttl, lease_expired=settings.lease_expired)
        self._rounds = Rounds(sweep, self._gauge, self._now, self._enqueue, settings=settings)
        self._primary = mails.database.client.primary
        self._token = stream.token
        self._saved = time.monotonic()
        #: Events were handled that the saved token is before.
        self._behind = False

    def run(self) -> None:
        """Lead until the stop, or until the stream must be opened anew (invalidate).

        Raises PyMongoError, LostLeadershipError, or one of enqueue.BROKER_ERRORS when stopped while
        the broker is away; then the token still stands before what was not published.
        """
        self._save(at_once=True)
        invalidated = False
        while not invalidated and not self._stop.is_set():
            pulses.beat()
            wait, linger = self._rounds.wait(), self._linger()
            taken = self._stream.take(self._gauge.step, wait=wait, linger=linger)
            self._admission.missed = False
            self._enqueue(self._candidates(taken.events))
            if taken.passed_over or self._admission.missed:
                self._rounds.look_soon()
            self._recorder.stream(taken.events, self._now)
            self._token = taken.token or self._token
            self._behind = self._behind or bool(taken.events)
            invalidated = any(event["operationType"] == "invalidate" for event in taken.events)
            self._save(at_once=invalidated)
            self._rounds.handled(len(taken.events))
            self._tick()
        self._save(at_once=True)

    def _candidates(self, events: Sequence[Document]) -> list[Candidate]:
        """Inserts come whole; of updated documents the present state is read.

        One candidate for each document, whatever happened to it.
        """
        inserted = [
            Candidate.of({**event, "_id": event["id"]})
            for event in events
            if event["operationType"] in ("insert", "replace")
        ]
        updated = [event for event in events if event["operationType"] == "update"]
        latest = {key(candidate.id): candidate for candidate in inserted}
        for candidate in self._present(updated):
            latest[key(candidate.id)] = candidate
        return list(latest.values())

    def _present(self, updated: Sequence[Document]) -> list[Candidate]:
        if not updated:
            return []
        rescheduled = {key(event["id"]) for event in updated if event["rescheduled"]}
        ids = [event["id"] for event in updated]
        found = self._mails.find({"_id": {"$in": ids}}, PROJECTION)
        return [
            Candidate.of(document, rescheduled=key(document["_id"]) in rescheduled)
            for document in found
        ]

    def _enqueue(self, candidates: Sequence[Candidate], *, fed: bool = False) -> None:
        """Admit and publish; `fed`: the feeder has found room for them.

        Mails that waited for their turn do not queue up again behind a limit that is used up.
        """
        if fed:
            self._publish(candidates, frozenset())
            return
        new = [each for each in candidates if not each.waited]
        if new:
            lanes = Counter(each.lane for each in new)
            self._publish(new, self._patiently(lambda: self._gauge.closed(lanes)))
        back = [each for each in candidates if each.waited]
        if back:
            # One after the other, each in its slot: one pair of hands is enough for all.
            self._publish(back, self._patiently(self._gauge.full), spread=TOGETHER)

    def _publish(
        self,
        candidates: Sequence[Candidate],
        closed: AbstractSet[Lane],
        *,
        spread: int = chunks.SPREAD,
    ) -> None:
        # What is admitted and finds no room is the feeder's.
        self._gauge.feeding |= closed & {candidate.lane for candidate in candidates}
        now = self._now()
        ready = self._admission.admit(candidates, now, closed)
        if ready:
            queued = self._gauge.known()
            messages = list(chunks.split(ready, queued, self._batch_size, spread))
            self._patiently(lambda: enqueue.enqueue(messages, now))
            self._gauge.published(lane for lane, _ in messages)
            if spread != TOGETHER:
                for lane, mails in Counter(each.lane for each in ready).items():
                    self._gauge.brakes.gave(lane, mails)
        for candidate in candidates:
            if due := candidate.due(now):
                self._rounds.expect(due, now)

    def _patiently(self, call: Callable[[], T]) -> T:
        """Wait for the broker as long as it takes, and keep the leadership meanwhile."""
        pause = _FIRST_PAUSE
        while True:
            pulses.beat()
            try:
                return call()
            except enqueue.BROKER_ERRORS as error:
                if self._stop.is_set():
                    raise
                _log.warning("watcher.waits_for_broker", error=str(error))
            self._stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            self._leader.renew_if_due()
            self._rounds.end_leases()

    def _tick(self) -> None:
        self._leader.renew_if_due()
        primary = self._mails.database.client.primary
        if primary != self._primary:
            self._primary = primary
            self._rounds.primary_changed()
        try:
            self._rounds.tick()
        except enqueue.BROKER_ERRORS as error:
            if self._stop.is_set():
                raise
            _log.warning("watcher.waits_for_broker", error=str(error))
            self._stop.wait(_FIRST_PAUSE)

    def _save(self, *, at_once: bool) -> None:
        pause = SAVE_EVERY if self._behind else RENEW_EVERY
        due = time.monotonic() - self._saved > pause
        if (due or at_once) and self._token not in (None, self._leader.token):
            self._leader.save(self._token)
            self._saved = time.monotonic()
            self._behind = False

    def _linger(self) -> float:
        busy = any(messages >= chunks.BUSY for messages in self._gauge.known().values())
        return LINGER if busy else 0.0

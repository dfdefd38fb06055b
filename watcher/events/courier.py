"""Lanes that deliver: one mail's events go one after the other, those of others beside them."""

from __future__ import annotations

import itertools
import queue
import random
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from config.mongo import Document
from watcher.events.progress import Progress, Step
from watcher.events.receivers import LANES, NotTaken, Receiver


#: Events on their way at once; the others wait in MongoDB's oplog.
WINDOW = 500
#: Seconds between two tries, from the first to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
#: Tries of an event that the receiver refuses; then the others behind it have their turn.
_REFUSALS = 8

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Parcel:
    event: Document
    step: Step


class Courier:
    """Keeps trying until it is stopped; what it has not delivered then stays undelivered."""

    def __init__(self, receiver: Receiver, progress: Progress) -> None:
        self._receiver = receiver
        self._progress = progress
        self._stop = threading.Event()
        self._fails = False
        self._lanes: list[queue.SimpleQueue[_Parcel | None]] = [
            queue.SimpleQueue() for _ in range(LANES)
        ]
        self._threads = [
            threading.Thread(target=self._run, args=(lane,), name=f"events{number}", daemon=True)
            for number, lane in enumerate(self._lanes)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, events: Sequence[Document], step: Step) -> None:
        """Put the events of one mail on their way, in order."""
        for event in events:
            lane = zlib.crc32(event["subject"].encode()) % LANES
            self._lanes[lane].put(_Parcel(event, step))

    def stop(self, seconds: float) -> None:
        """End: whoever is in the middle of a request may finish it."""
        self._stop.set()
        for lane in self._lanes:
            lane.put(None)
        for thread in self._threads:
            thread.join(seconds / LANES)

    def _run(self, lane: queue.SimpleQueue[_Parcel | None]) -> None:
        while (parcel := lane.get()) is not None and not self._stop.is_set():
            if self._deliver(parcel.event):
                self._progress.delivered(parcel.step)

    def _deliver(self, event: Document) -> bool:
        """Try until it is delivered or given up; False: stopped before."""
        pause = _FIRST_PAUSE
        for attempt in itertools.count(1):
            try:
                self._receiver.take(event)
            except NotTaken as error:
                if error.refused and attempt >= _REFUSALS:
                    _log.error("events.refused", id=event["id"], type=event["type"], why=str(error))
                    return True
                self._failed(error)
            else:
                self._works()
                return True
            if self._stop.wait(pause * random.uniform(0.5, 1.0)):  # noqa: S311 - not to come at once
                return False
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise AssertionError("unreachable: the count has no end")

    def _failed(self, error: NotTaken) -> None:
        if not self._fails:
            self._fails = True
            _log.warning("events.receiver_fails", why=str(error))

    def _works(self) -> None:
        if self._fails:
            self._fails = False
            _log.info("events.receiver_works")

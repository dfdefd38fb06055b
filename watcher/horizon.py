"""Since when a message must have left its queue: what the queues said a while ago."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.backlog import Backlog
from tasks.clock import Now
from tasks.lanes import Lane


#: How long a mail may be in a worker's hands before its claim while other hands are free: a batch
#: then shares its rest.
IN_HAND = timedelta(seconds=3)
#: The longest allowance for hands that are all full: a batch of 50 at a mail a second.
FULL_HANDS = timedelta(seconds=60)
#: Readings closer together than this tell nothing new.
_APART = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class _Reading:
    at: datetime
    #: Every message enqueued before this had left the queue.
    left: datetime
    #: From when on a mail of such a message, still unclaimed, is lost.
    proves: datetime


class Horizon:
    """Tells which waiting mails were lost by the broker: enqueued long before what waits there.

    A message that has just left the queue is in a worker's hands, not lost. Messages that wait long
    mean that all hands are full; then a mail may be in a hand as long as it waited in the queue.
    """

    def __init__(self, now: Now) -> None:
        self._now = now
        self._readings: dict[Lane, deque[_Reading]] = {lane: deque() for lane in Lane}
        self._proven: dict[Lane, datetime] = {}

    def note(self, lane: Lane, backlog: Backlog) -> None:
        """Remember what a queue said just now."""
        readings, now = self._readings[lane], self._now()
        if readings and now - readings[-1].at < _APART:
            return
        left = min(backlog.oldest or now, now)
        allowance = min(IN_HAND + (now - left), FULL_HANDS)
        readings.append(_Reading(now, left, now + allowance))

    def lost_before(self, lane: Lane) -> datetime | None:
        """Tell the time before which whatever was enqueued is lost; None: nothing is known yet."""
        readings, now = self._readings[lane], self._now()
        for reading in [each for each in readings if each.proves <= now]:
            readings.remove(reading)
            self._proven[lane] = max(reading.left, self._proven.get(lane, reading.left))
        return self._proven.get(lane)

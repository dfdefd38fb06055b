"""How full the broker's queues are, and which lanes wait in MongoDB until there is room."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterable, Mapping

from tasks import enqueue
from tasks.backlog import Backlog
from tasks.lanes import Lane
from tasks.limits.outlook import Circuit
from watcher.brakes import Brakes
from watcher.chunks import BUSY


#: Documents in one step, unless the queues are to be shorter than that.
_STEP = 1000
#: Seconds a reading is good for.
_FRESH = 0.1


class Gauge:
    """Reads the queues, at most ten times a second. Methods raise one of enqueue.BROKER_ERRORS."""

    def __init__(self, queue_limit: int, batch_size: int, brakes: Brakes) -> None:
        #: Under load every message holds batch_size ids.
        limit = max(1, queue_limit // batch_size)
        #: Documents in one step.
        self.step = min(_STEP, max(1, queue_limit // 4))
        #: A queue this long has no room for another step. Up to BUSY messages are small ones.
        self._full = max(BUSY, limit - math.ceil(self.step / batch_size) + 1)
        self._low = max(BUSY, limit) // 2
        self.brakes = brakes
        #: Lanes whose older mails the feeder is still bringing in.
        self.feeding: set[Lane] = set()
        self._read = float("-inf")
        self._backlogs: dict[Lane, Backlog] = {}

    def messages(self) -> dict[Lane, int]:
        """Tell how many messages wait in each lane's queue."""
        self._look()
        return self.known()

    def known(self) -> dict[Lane, int]:
        """Tell the same as last read; never asks the broker."""
        return {lane: backlog.messages for lane, backlog in self._backlogs.items()}

    def closed(self, new: Mapping[Lane, int]) -> set[Lane]:
        """Tell which lanes take no new mail, when so many have come.

        Their queue is full, there is no room within the limit, or older mails come first.
        """
        closed = self.full()
        for lane, mails in new.items():
            if mails > self.room(lane):
                closed.add(lane)
        self.feeding |= closed  # what comes next waits behind those that found no room
        return set(self.feeding)

    def full(self) -> set[Lane]:
        """Tell which lanes take no mail at all: their queue is full, or the server is away."""
        if self.brakes.circuit() is not Circuit.CLOSED:
            return set(Lane)
        return {lane for lane, messages in self.messages().items() if messages >= self._full}

    def room(self, lane: Lane) -> float:
        """Tell how many mails of a lane there is room for.

        None in a full queue. Within a limit none while the workers have not asked for what is in
        the queues, or while higher lanes have mails in MongoDB, which would come behind these.
        """
        if self.messages()[lane] >= self._full:
            return 0
        if not self.brakes.has_limit:
            return self.step
        queued = self.messages()
        busy = any(queued[each] > BUSY for each in (lane, *lane.higher))
        if busy or any(higher in self.feeding for higher in lane.higher):
            return 0
        return min(self.brakes.room(lane), self.step)

    def runs_low(self, lane: Lane) -> bool:
        """Tell whether a queue, as last read, is to be fed."""
        return self._backlogs[lane].messages <= self._low

    def published(self, lanes: Iterable[Lane]) -> None:
        """Count messages that were just published, one for each lane named."""
        for lane in lanes:
            backlog = self._backlogs[lane]
            self._backlogs[lane] = dataclasses.replace(backlog, messages=backlog.messages + 1)

    def look_now(self, lane: Lane) -> Backlog:
        """Read one lane's queue afresh."""
        self._backlogs[lane] = enqueue.waiting(lane)
        return self._backlogs[lane]

    def _look(self) -> None:
        if time.monotonic() - self._read > _FRESH:
            for lane in Lane:
                self.look_now(lane)
            self._read = time.monotonic()

"""How full the broker's queues are, and which lanes wait in MongoDB until there is room."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterable

from tasks import enqueue
from tasks.backlog import Backlog
from tasks.lanes import Lane


#: Documents in one step, unless the queues are to be shorter than that.
_STEP = 1000
#: Seconds a reading is good for.
_FRESH = 0.1


class Gauge:
    """Reads the queues, at most ten times a second. Methods raise one of enqueue.BROKER_ERRORS."""

    def __init__(self, queue_limit: int, batch_size: int) -> None:
        #: Under load every message holds batch_size ids.
        self.limit = max(1, queue_limit // batch_size)
        #: Documents in one step.
        self.step = min(_STEP, max(1, queue_limit // 4))
        #: A queue this long has no room for another step.
        self._full = max(1, self.limit - math.ceil(self.step / batch_size) + 1)
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

    def closed(self) -> set[Lane]:
        """Tell which lanes take no new mail: their queue is full, or older mails come first."""
        full = {lane for lane, messages in self.messages().items() if messages >= self._full}
        self.feeding |= full  # what comes next waits behind those that found no room
        return set(self.feeding)

    def runs_low(self, lane: Lane) -> bool:
        """Tell whether a queue, as last read, is to be fed."""
        return self._backlogs[lane].messages <= self.limit // 2

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

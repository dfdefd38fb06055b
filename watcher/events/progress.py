"""Up to where everything has been delivered, though several are on their way at once."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from config.mongo import Document


@dataclass(slots=True)
class Step:
    """A place in the stream; `left`: its events that are not delivered yet."""

    token: Document
    left: int
    #: When what stands there happened.
    at: datetime


class Progress:
    """The window of what is on its way, in the stream's order."""

    def __init__(self, room: int) -> None:
        self._steps: deque[Step] = deque()
        self._room = room
        self._on_their_way = 0
        self._reached: Step | None = None
        self._changed = threading.Condition()

    def begin(self, token: Document, events: int, at: datetime) -> Step:
        """Note a place with so many events."""
        step = Step(token, events, at)
        with self._changed:
            # Where nothing is to be delivered, only the last place counts: behind a mail that the
            # receiver does not take, any number may follow.
            if not events and self._steps and self._steps[-1].left == 0:
                self._steps.pop()
            self._steps.append(step)
            self._on_their_way += events
        return step

    def delivered(self, step: Step) -> None:
        """Note that one of its events was delivered."""
        with self._changed:
            step.left -= 1
            self._on_their_way -= 1
            self._changed.notify_all()

    def reached(self) -> Step | None:
        """Give the last place before which nothing is on its way; None: there is none yet."""
        with self._changed:
            while self._steps and self._steps[0].left == 0:
                self._reached = self._steps.popleft()
            return self._reached

    def wait_for_room(self, seconds: float) -> bool:
        """Wait until the window has room; tell whether it has."""
        return self._wait(self._room, seconds)

    def wait_for_all(self, seconds: float) -> bool:
        """Wait until nothing is on its way; tell whether it is so."""
        return self._wait(1, seconds)

    def _wait(self, fewer_than: int, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._on_their_way < fewer_than, seconds)

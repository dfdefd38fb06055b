"""Finds the waiting mails whose ids the broker has lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from tasks.backlog import Backlog
from tasks.clock import Now
from tasks.delivery import spans
from tasks.delivery.candidate import Candidate
from tasks.delivery.spans import Span
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from tasks.lanes import Lane
from watcher.horizon import Horizon


#: Seconds between two searches from the very beginning.
WHOLE_EVERY = 60.0


class Losses:
    """Searches from where the last search found nothing more.

    Whatever is enqueued, or put back by a worker, has a later time than that. What has not (an old
    state, written again by somebody) comes through the stream, and at last by a whole search.
    """

    def __init__(self, sweep: Sweep, now: Now, step: int) -> None:
        self._sweep = sweep
        self._horizon = Horizon(now)
        self._step = step
        self._nothing_before: dict[tuple[State, Span], datetime] = {}
        self._next_whole = 0.0

    def note(self, lane: Lane, backlog: Backlog) -> None:
        """Remember what a queue said just now."""
        self._horizon.note(lane, backlog)

    def look_again(self) -> None:
        """Search from the beginning: another primary may have forgotten what we wrote."""
        self._nothing_before.clear()

    def find(self) -> Iterator[list[Candidate]]:
        """Find them, at most a step in each list, to be enqueued before the next is asked for.

        A full list means that there may be more. Raises PyMongoError.
        """
        if time.monotonic() >= self._next_whole:
            self._next_whole = time.monotonic() + WHOLE_EVERY
            self.look_again()
        for state in (State.PENDING, State.RETRY):
            if self._sweep.any_in(state):  # one look, where most of the time there is nothing
                yield from self._find(state)

    def _find(self, state: State) -> Iterator[list[Candidate]]:
        for span in spans.ALL:
            before = self._horizon.lost_before(span.lane)
            since = self._nothing_before.get((state, span))
            if before is None or (since is not None and since >= before):
                continue
            found = self._sweep.enqueued(state, span, self._step, since=since, before=before)
            if len(found) < self._step:
                self._nothing_before[state, span] = before
            yield found

"""Mails that wait in MongoDB and were never enqueued, a step at a time."""

from __future__ import annotations

import itertools
import time

from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.errors import CursorNotFound, PyMongoError

from config.mongo import Document
from tasks.delivery import spans
from tasks.delivery.candidate import PROJECTION, Candidate
from tasks.delivery.spans import Span
from tasks.delivery.states import State


#: Seconds after which a backlog is looked at from its front again, for mails that came to wait
#: behind the cursor: an old one set to RETRY, say.
AGAIN = 30.0


class Unqueued:
    """Those of one state (None: no `delivery`) in one span of the index, oldest first.

    The server's cursor is kept between two steps. A new query would begin at the front, where the
    index keeps the entries of all mails fed in the last minutes (WiredTiger removes a deleted entry
    only after minSnapshotHistoryWindowInSeconds, 300 by default), and would go over all of them.
    """

    def __init__(
        self, mails: Collection[Document], state: State | None, span: Span, step: int
    ) -> None:
        self._mails = mails
        self._query = {
            "delivery.state": state,
            "delivery.nextAttemptTime": None,
            "delivery.enqueueTime": None,
        }
        self._options = span.options(state, *spans.never_enqueued())
        self._step = step
        self._cursor: Cursor[Document] | None = None
        self._opened = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the last step was not the end."""
        return self._cursor is not None

    def take(self) -> tuple[list[Candidate], bool]:
        """Return the next step, and whether there may be more. Raises PyMongoError."""
        if self._cursor is not None and time.monotonic() - self._opened > AGAIN:
            self.close()
        goes_on = self._cursor is not None
        try:
            found = self._next()
        except CursorNotFound:  # unused for ten minutes, or the primary changed
            self.close()
            goes_on, found = False, self._next()
        except PyMongoError:
            self.close()
            raise
        if len(found) < self._step:
            self.close()
        # The end of a cursor that goes on says nothing about what came to wait behind it.
        return [Candidate.of(each) for each in found], goes_on or len(found) == self._step

    def close(self) -> None:
        """Begin at the front the next time."""
        if self._cursor is not None:
            self._cursor.close()
        self._cursor = None

    def _next(self) -> list[Document]:
        if self._cursor is None:
            self._opened = time.monotonic()
            # As many in each answer as are taken at once: what is taken has just been read.
            self._cursor = self._mails.find(
                self._query, PROJECTION, batch_size=self._step, **self._options
            )
        return list(itertools.islice(self._cursor, self._step))

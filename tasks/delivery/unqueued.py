"""Mails that wait in MongoDB and were never enqueued, a step at a time."""

from __future__ import annotations

import time
from typing import Any

from pymongo.collection import Collection
from pymongo.cursor import RawBatchCursor
from pymongo.errors import CursorNotFound, PyMongoError

from config.mongo import Document
from tasks.delivery import ids
from tasks.delivery.candidate import PROJECTION, Candidate


#: Seconds after which a backlog is looked at from its front again, for mails that came to wait
#: behind the cursor: an old one set to RETRY, say.
AGAIN = 30.0


class Unqueued:
    """Those of one state (None: no `delivery`) and span, oldest first.

    The server's cursor is kept between two steps. A new query would begin at the front, and go over
    the entries of all mails fed lately: WiredTiger keeps a deleted entry until its page leaves the
    cache.
    """

    def __init__(
        self, mails: Collection[Document], query: Document, options: dict[str, Any], step: int
    ) -> None:
        self._mails = mails
        self._query = query
        self._options = options
        self._step = step
        self._cursor: RawBatchCursor[Document] | None = None
        #: Read, and not yet taken.
        self._ahead: list[Document] = []
        #: The last step was cut short, because of ids of megabytes.
        self._has_enough = False
        self._opened = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the last step was not the end."""
        return self._cursor is not None

    def take(self, limit: int | None = None) -> tuple[list[Candidate], bool]:
        """Return the next step, or at most `limit`, and whether there may be more.

        Raises PyMongoError.
        """
        step = self._step if limit is None else min(limit, self._step)
        if self._cursor is not None and time.monotonic() - self._opened > AGAIN:
            self.close()
        goes_on = self._cursor is not None
        try:
            found = self._next(step)
        except CursorNotFound:  # unused for ten minutes, or the primary changed
            self.close()
            goes_on, found = False, self._next(step)
        except PyMongoError:
            self.close()
            raise
        if len(found) < step and not self._has_enough:
            self.close()
        # The end of a cursor that goes on says nothing about what came to wait behind it.
        return [Candidate.of(each) for each in found], goes_on or self.is_open

    def close(self) -> None:
        """Begin at the front the next time."""
        if self._cursor is not None:
            self._cursor.close()
        self._cursor = None
        self._ahead = []

    def _next(self, step: int) -> list[Document]:
        if self._cursor is None:
            self._opened = time.monotonic()
            # As many in each answer as are taken at once: what is taken has just been read.
            self._cursor = ids.find(
                self._mails, self._query, PROJECTION, batch_size=step, **self._options
            )
        size = 0
        while len(self._ahead) < step and size < ids.ENOUGH:
            batch = next(self._cursor, None)
            if batch is None:
                break
            self._ahead += ids.read(batch)
            size += len(batch)
        self._has_enough = size >= ids.ENOUGH
        found, self._ahead = self._ahead[:step], self._ahead[step:]
        return found

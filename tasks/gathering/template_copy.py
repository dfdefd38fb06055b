"""A copy of TEMPLATES_COLLECTION, kept true by a change stream of its own.

A thread follows the collection: it opens the stream, then reads all, then reads what changes. When
the stream breaks (fail-over, lost history, a dropped collection), it begins again from the start;
until it has succeeded, what was read before counts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import structlog
from pymongo import ReadPreference
from pymongo.change_stream import ChangeStream
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import InvalidOperation, PyMongoError
from pymongo.read_concern import ReadConcern

from config import logs
from config.mongo import Document
from tasks.mail.handlebars import Limits
from tasks.mail.templates import Library
from tasks.mail.templates.template import Template, order, read


#: The server is asked this often (seconds), and waits for no news (1 ms is the least it takes). A
#: stream that waits looks at every write to any collection by itself, which takes 50 µs of the
#: primary for each; asked now and then, it looks at many together.
_EVERY, _AWAIT_MS = 0.3, 1
#: The same while a mail waits for a template.
_SOON = 0.02
#: Seconds between two beginnings.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

_EVENTS = [{"$project": {"documentKey": 1, "operationType": 1, "lsid": 1, "txnNumber": 1}}]

_log = structlog.get_logger(__name__)


class TemplateCopy:
    """One in a process. Its thread starts with the first question: a fork must not inherit it."""

    def __init__(self, collection: Collection[Document], limits: Limits) -> None:
        # What only the primary has may be rolled back, and no event would tell.
        self._collection = collection.with_options(
            read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("majority")
        )
        self._limits = limits
        self._changed = threading.Condition()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._templates: dict[bytes, Template] = {}
        self._library: Library | None = None
        self._failures = 0
        self._error: PyMongoError | None = None

    def library(self, seconds: float) -> Library | None:
        """Give the templates as they are; None when they could not be read within the time.

        Raises the PyMongoError that keeps them from being read for the first time.
        """
        if self._library is not None:
            return self._library
        with self._changed:
            self._start()
            failures = self._failures
            self._changed.wait_for(
                lambda: self._library is not None or self._failures > failures, seconds
            )
            if self._library is None and self._error is not None and self._failures > failures:
                raise self._error.with_traceback(None)
            return self._library

    def library_with(self, name: str, seconds: float) -> Library | None:
        """Wait until a template of this name is there, at most so long; give what is there then."""
        end = time.monotonic() + seconds
        with self._changed:
            while self._library is None or name not in self._library.templates:
                if time.monotonic() > end:
                    break
                self._hurry.set()
                self._changed.wait(_SOON)
            return self._library

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="templates", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        waiting = threading.Event()
        while True:
            try:
                self._follow()
                pause = _FIRST_PAUSE
            except PyMongoError as error:
                if isinstance(error, InvalidOperation):
                    self._end(error)  # the client is closed
                    return
                _log.warning("templates.not_followed", error=logs.redact(str(error)))
                self._failed(error)
                waiting.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except Exception:  # noqa: BLE001 - without this thread no change would be seen again
                _log.exception("templates.not_followed")
                waiting.wait(_LONGEST_PAUSE)

    def _end(self, error: PyMongoError) -> None:
        """Let the next question begin anew: nobody follows the changes any more."""
        with self._changed:
            self._library = self._thread = None
        self._failed(error)

    def _failed(self, error: PyMongoError) -> None:
        with self._changed:
            self._failures += 1
            self._error = error
            self._changed.notify_all()

    def _follow(self) -> None:
        """Follow until the collection is dropped or renamed, or the stream breaks."""
        # One session: each reading is at least as new as the event before it.
        with (
            self._collection.database.client.start_session(causal_consistency=True) as session,
            self._collection.watch(_EVENTS, max_await_time_ms=_AWAIT_MS, session=session) as stream,
        ):
            self._read_all(session)
            _log.info("templates.followed", templates=len(self._templates))
            self._follow_on(stream, session)

    def _follow_on(self, stream: ChangeStream[Document], session: ClientSession) -> None:
        seen: Any = None
        while stream.alive:
            event = stream.try_next()
            if event is None:
                self._hurry.wait(_EVERY)
                self._hurry.clear()
                continue
            transaction = (event.get("lsid"), event.get("txnNumber"))
            if transaction[1] is not None:
                # All of a transaction counts at once: a layout and the templates that use it.
                if transaction != seen:
                    self._read_all(session)
                seen = transaction
            elif "documentKey" in event:
                self._read_one(event["documentKey"]["_id"], session)

    def _read_all(self, session: ClientSession) -> None:
        found = {order(each["_id"]): each for each in self._collection.find({}, session=session)}
        self._replace({key: self._kept(key, document) for key, document in found.items()})

    def _kept(self, key: bytes, document: Document) -> Template:
        """Keep what is compiled of templates that are as before."""
        template, before = read(document), self._templates.get(key)
        return before if before == template else template

    def _read_one(self, id: Any, session: ClientSession) -> None:
        document = self._collection.find_one({"_id": id}, session=session)
        templates = {key: each for key, each in self._templates.items() if key != order(id)}
        if document is not None:
            templates[order(id)] = read(document)
        self._replace(templates)

    def _replace(self, templates: Mapping[bytes, Template]) -> None:
        library = Library(templates.values(), self._limits)
        with self._changed:
            self._templates = dict(templates)
            self._library = library
            self._error = None
            self._changed.notify_all()

"""The change stream behind the page: one for all browsers, cut down to ids on the server."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import structlog
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from config.mongo import Document
from tasks.operating import ids


#: Changed mails that are remembered until somebody takes them; of more only that there are.
MOST = 200
#: Milliseconds that one look into the stream waits; bounds how long a stop takes.
_WAIT = 500
#: Seconds before it is opened again: at first, and at most.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0

#: Only ids travel: an update may hold the whole text of a mail.
_PIPELINE: list[Document] = [
    {"$match": {"operationType": {"$in": ["insert", "update", "replace", "delete"]}}},
    {"$project": {"documentKey._id": 1, "operationType": 1}},
]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What has changed since it was asked last. `more`: there are others, too."""

    ids: list[Any]
    removed: list[str]
    more: bool

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self.ids or self.removed or self.more)


class Stream:
    """A thread that reads changes while somebody wants them, and opens the stream again."""

    def __init__(self, mails: Collection[Document]) -> None:
        self._mails = mails
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._changed: dict[str, Any] = {}
        self._removed: dict[str, None] = {}
        self._more = False
        self._is_open = False
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)

    @property
    def is_open(self) -> bool:
        """Whether changes are seen."""
        return self._is_open

    def start(self) -> None:
        """Start the thread; it waits until somebody wants changes."""
        self._thread.start()

    def want(self, *, wanted: bool) -> None:
        """Say whether anybody looks."""
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()

    def close(self) -> None:
        """End the thread; takes up to half a second."""
        self._closing.set()
        self._wanted.set()
        self._thread.join(timeout=5)

    def take(self) -> Taken:
        """Take what has changed."""
        with self._lock:
            taken = Taken(list(self._changed.values()), list(self._removed), self._more)
            self._changed, self._removed, self._more = {}, {}, False
        return taken

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            self._wanted.wait()
            if self._closing.is_set():
                return
            try:
                with self._mails.watch(_PIPELINE, max_await_time_ms=_WAIT, batch_size=500) as found:
                    self._opened()
                    pause = _FIRST_PAUSE
                    while self._wanted.is_set() and not self._closing.is_set() and found.alive:
                        event = found.try_next()
                        if event is not None:
                            self._note(event)
            except PyMongoError as error:
                _log.warning("stream.broke", error=str(error), again_in=pause)
                self._is_open = False
                self._closing.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            finally:
                self._is_open = False

    def _opened(self) -> None:
        with self._lock:
            self._more = True  # nobody knows what happened before
        self._is_open = True

    def _note(self, event: Document) -> None:
        key = event.get("documentKey")
        with self._lock:
            if key is None or len(self._changed) + len(self._removed) >= MOST:
                self._more = True
                return
            name = ids.write(key["_id"])
            if event["operationType"] == "delete":
                self._changed.pop(name, None)
                self._removed[name] = None
            else:
                self._changed[name] = key["_id"]
                self._removed.pop(name, None)

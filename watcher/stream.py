"""The change stream: filtered and cut down to ids on the server, read ahead by a thread."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bson.timestamp import Timestamp
from pymongo.change_stream import ChangeStream
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from config.mongo import Document
from tasks.delivery.states import CLAIMABLE
from tasks.observing.pulses import Pulse
from tasks.observing.watchdog import watchdog


#: Milliseconds an empty stream waits for an event; bounds how long a stop takes.
MAX_AWAIT = 500
_BATCH = 1000
#: Events read ahead; then the reader waits for the dispatcher.
_AHEAD = 5000

_UPDATED = "$updateDescription.updatedFields"
_REMOVED = {"$ifNull": ["$updateDescription.removedFields", []]}
_SEND_AT = {"$type": f"{_UPDATED}.sendAt"}


def _updated(dotted: str) -> Document:
    """The value an update gave to a field: `updatedFields` has dotted names as literal keys."""
    return {"$getField": {"field": {"$literal": dotted}, "input": _UPDATED}}


def _is_missing(value: Any) -> Document:
    return {"$eq": [{"$type": value}, "missing"]}


_INSERTED = {
    "operationType": {"$in": ["insert", "replace"]},
    "$or": [
        {"fullDocument.delivery.state": {"$in": CLAIMABLE}},
        {"fullDocument.delivery": {"$type": "array"}},
    ],
}
#: A state set by itself. Our own writes set the enqueueTime with it.
_STATE_SET = {
    "$and": [
        {"$in": [_updated("delivery.state"), CLAIMABLE]},
        _is_missing(_updated("delivery.enqueueTime")),
    ]
}
#: The whole subdocument set by a user: to a waiting state or none. Ours has an enqueueTime and no
#: attempts; a user's may be a copy of what stood there.
_MAP_SET = {
    "$and": [
        {"$in": [{"$ifNull": [f"{_UPDATED}.delivery.state", None]}, CLAIMABLE]},
        {
            "$or": [
                _is_missing(f"{_UPDATED}.delivery.enqueueTime"),
                {"$ne": [f"{_UPDATED}.delivery.attempts", 0]},
            ]
        },
    ]
}
_NO_MAP_SET = {"$not": {"$in": [{"$type": f"{_UPDATED}.delivery"}, ["missing", "object"]]}}
_DELIVERY_SET = {
    "$or": [
        _NO_MAP_SET,
        {"$and": [{"$eq": [{"$type": f"{_UPDATED}.delivery"}, "object"]}, _MAP_SET]},
    ]
}
_STATE_REMOVED = {"$or": [{"$in": [name, _REMOVED]} for name in ("delivery", "delivery.state")]}
#: `sendAt` set or removed: a nextAttemptTime made of it is out of date.
_RESCHEDULED = {"$or": [{"$ne": [_SEND_AT, "missing"]}, {"$in": ["sendAt", _REMOVED]}]}

PIPELINE: list[Document] = [
    {
        "$match": {
            "$or": [
                _INSERTED,
                {
                    "operationType": "update",
                    "$expr": {"$or": [_STATE_SET, _DELIVERY_SET, _STATE_REMOVED, _RESCHEDULED]},
                },
                {"operationType": {"$in": ["drop", "rename", "dropDatabase", "invalidate"]}},
            ]
        }
    },
    {
        "$project": {
            "operationType": 1,
            "wallTime": 1,
            "id": "$documentKey._id",
            "priority": "$fullDocument.priority",
            "sendAt": "$fullDocument.sendAt",
            "state": "$fullDocument.delivery.state",
            "nextAttemptTime": "$fullDocument.delivery.nextAttemptTime",
            "waitsFor": "$fullDocument.delivery.waitsFor",
            "kind": {"$type": "$fullDocument.delivery"},
            "rescheduled": _RESCHEDULED,
        }
    },
]


#: An open stream ended and cannot go on behind its token: history lost, a fatal error, an event
#: too large.
STREAM_ENDED = frozenset({280, 286, 10334})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the stream is wanted, and how much of it is read ahead."""

    pipeline: list[Document]
    ahead: int


_MAILS = Wanted(PIPELINE, _AHEAD)


@dataclass(slots=True)
class Events:
    """What the stream brought: events in order, and the token after the last of them."""

    events: list[Document] = field(default_factory=list)
    token: Document | None = None


class Stream:
    """A change stream and the thread that reads it."""

    def __init__(
        self,
        mails: Collection[Document],
        *,
        token: Document | None,
        start: Timestamp | None,
        patience: float = math.inf,
        wanted: Wanted = _MAILS,
    ) -> None:
        """Open it after `token`, else at the cluster time `start`. Raises PyMongoError.

        `patience`: seconds after which a reader that does not come by counts as wedged.
        """
        self._cursor: ChangeStream[Document] = mails.watch(
            wanted.pipeline,
            start_after=token,
            start_at_operation_time=None if token else start,
            max_await_time_ms=MAX_AWAIT,
            batch_size=min(_BATCH, wanted.ahead),
        )
        first = self._cursor.resume_token
        #: Where the stream begins; None when the first events came with the answer.
        self.token: Document | None = dict(first) if first else None
        self._items: queue.Queue[Document | Exception] = queue.Queue(wanted.ahead)
        self._closing = threading.Event()
        self._pulse = Pulse("stream", patience)
        self._thread = threading.Thread(target=self._read, name="stream", daemon=True)
        self._thread.start()

    def take(self, limit: int, *, wait: float, linger: float) -> Events:
        """Return what has come; waits `wait` seconds for the first, `linger` for more.

        Raises what the stream raised, after everything before it was taken.
        """
        taken = Events()
        for item in self._ready(limit, wait, linger):
            if isinstance(item, Exception):
                if taken.token is not None:
                    self._items.put(item)
                    break
                raise item
            taken.token = item["_id"]
            if "operationType" in item:
                taken.events.append(item)
        return taken

    def close(self) -> None:
        """End the thread and the cursor; takes up to MAX_AWAIT."""
        self._closing.set()
        while self._thread.is_alive():
            self._drain()
            self._thread.join(0.05)
        self._cursor.close()

    def _ready(self, limit: int, wait: float, linger: float) -> Iterator[Document | Exception]:
        end = time.monotonic() + wait
        for _ in range(limit):
            try:
                yield self._items.get(timeout=max(end - time.monotonic(), 0))
            except queue.Empty:
                return
            end = min(end, time.monotonic() + linger)

    def _read(self) -> None:
        with watchdog.watching(self._pulse):
            self._read_on()

    def _read_on(self) -> None:
        try:
            while self._cursor.alive and not self._closing.is_set():
                self._pulse.beat()
                event = self._cursor.try_next()
                self._pulse.rest()  # the queue may be full: then the dispatcher is waited for
                self._items.put(event or {"_id": self._cursor.resume_token})
        except Exception as error:  # noqa: BLE001 - raised again by `take`
            self._items.put(error)
        else:
            self._items.put(PyMongoError("the change stream has ended"))

    def _drain(self) -> None:
        while not self._items.empty():
            self._items.get_nowait()

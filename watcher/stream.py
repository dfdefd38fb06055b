"""The change stream: filtered and cut down to ids on the server, read ahead by a thread."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp
from pymongo.change_stream import ChangeStream
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from config.mongo import CODEC, Document
from tasks.delivery.candidate import projection
from tasks.delivery.states import CLAIMABLE
from tasks.observing.pulses import Pulse
from tasks.observing.watchdog import watchdog


#: Milliseconds an empty stream waits for an event; bounds how long a stop takes.
MAX_AWAIT = 500
_BATCH = 1000
#: Events read ahead; then the reader waits for the dispatcher.
_AHEAD = 5000
#: Characters of a token, which holds the document's `_id`, two for each byte and more: such an _id
#: is too large for us, and five thousand of 5 MB would fill the memory. The sweep finds the mail.
_LARGEST_TOKEN = 20_000

#: What the reader notes in the next event.
_PASSED_OVER = "passedOver"
_RAW = CODEC.with_options(document_class=RawBSONDocument)

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
            "id": {"_id": "$documentKey._id"},
            **projection("$fullDocument."),
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
    #: There were others, of documents that cannot be named: for the sweep.
    passed_over: bool = False


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
        self._mails = mails
        self._wanted = wanted
        #: Events are decoded one by one: one that has come cannot be.
        self._careful = False
        self._passed_over = False
        self._open(token, start)
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
            taken.passed_over |= _PASSED_OVER in item
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
                event = self._next()
                self._pulse.rest()  # the queue may be full: then the dispatcher is waited for
                self._put(event)
        except Exception as error:  # noqa: BLE001 - raised again by `take`
            self._items.put(error)
        else:
            self._items.put(PyMongoError("the change stream has ended"))

    def _open(self, token: Document | None, start: Timestamp | None) -> None:
        self._start = start
        try:
            self._cursor = _watch(self._mails, self._wanted, token, start)
        except BSONError:
            self._open_carefully(token)

    def _open_carefully(self, token: Mapping[str, Any] | None) -> None:
        """Whoever may insert a mail can give it an `_id` that is no valid BSON: pass over that."""
        self._careful = True
        raw: Any = self._mails.with_options(codec_options=_RAW)
        self._cursor = _watch(raw, self._wanted, token, self._start)

    def _next(self) -> Document | None:
        try:
            event: Any = self._cursor.try_next()
        except BSONError:
            self._open_carefully(self._cursor.resume_token)
            return None
        return _decoded(event) if self._careful and event else event

    def _put(self, event: Document | None) -> None:
        if event is None:
            token = self._cursor.resume_token
            event = {"_id": token and dict(token)}
        elif "operationType" not in event:
            self._passed_over = True
        elif "id" in event:
            if len(event["_id"]["_data"]) > _LARGEST_TOKEN:
                self._passed_over = True
                return
            event["id"] = event["id"].get("_id")  # none of a drop
        if self._passed_over:
            event[_PASSED_OVER] = True
            self._passed_over = False
        self._items.put(event)

    def _drain(self) -> None:
        while not self._items.empty():
            self._items.get_nowait()


def _watch(
    mails: Collection[Document],
    wanted: Wanted,
    token: Mapping[str, Any] | None,
    start: Timestamp | None,
) -> ChangeStream[Document]:
    return mails.watch(
        wanted.pipeline,
        start_after=token,
        start_at_operation_time=None if token else start,
        max_await_time_ms=MAX_AWAIT,
        batch_size=min(_BATCH, wanted.ahead),
    )


def _decoded(event: RawBSONDocument) -> Document:
    """Read an event; of one that cannot be read only its token."""
    try:
        return bson.decode(event.raw, CODEC)
    except BSONError:
        return {"_id": dict(event["_id"])}

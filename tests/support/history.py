"""Every state that every mail went through, as MongoDB's change stream tells it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from pymongo.change_stream import DatabaseChangeStream
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from tasks.delivery.ids import key
from tests.support.application import eventually


#: A deleted document's last state.
DELETED = "deleted"
_MARKS = "history.marks"
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """What stood in `delivery` from `at` on (the primary's clock); None where nothing stood."""

    at: datetime
    state: object = None
    phase: object = None
    attempts: object = None
    worker: object = None
    error: object = None
    next_attempt: object = None
    in_doubt: object = None

    @property
    def fence(self) -> tuple[object, object]:
        """What no two attempts have in common."""
        return self.worker, self.attempts

    @property
    def pid(self) -> int | None:
        """The process that made this attempt; the token is host:pid:random."""
        return int(self.worker.split(":")[-2]) if isinstance(self.worker, str) else None

    def same(self, other: Step) -> bool:
        """Tell whether the two differ in time alone."""
        return _fields(self) == _fields(other)


class History:
    """Records until its `with` block ends; a server that goes away is asked again.

    Only what is committed by the majority: a write that a fail-over rolled back never was.
    """

    def __init__(self, mails: Collection[dict[str, Any]]) -> None:
        self._database = mails.database
        self._name = mails.name
        self._steps: dict[bytes, list[Step]] = {}
        self._deliveries: dict[bytes, dict[str, Any]] = {}
        self._marks: set[str] = set()
        self._stop = threading.Event()
        self._token: Mapping[str, Any] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        stream = self._open()
        self._token = stream.resume_token
        stream.close()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def of(self, id: Any) -> list[Step]:
        """Tell what a mail went through, so far as the stream has come."""
        return list(self._steps.get(key(id), []))

    def all(self) -> list[list[Step]]:
        """Tell the same of every mail."""
        return [list(steps) for steps in list(self._steps.values())]

    def catch_up(self, seconds: float = 30) -> None:
        """Return when all that was written before this call is recorded; raises TimeoutError."""
        mark = uuid.uuid4().hex
        self._database[_MARKS].insert_one({"_id": mark})
        eventually("the history is whole", lambda: mark in self._marks, seconds)

    def _open(self) -> DatabaseChangeStream[dict[str, Any]]:
        pipeline: list[dict[str, Any]] = [
            {
                "$match": {
                    "ns.coll": {"$in": [self._name, _MARKS]},
                    "operationType": {"$in": ["insert", "update", "replace", "delete"]},
                }
            },
            {
                "$project": {
                    "operationType": 1,
                    "ns": 1,
                    "id": "$documentKey._id",
                    "wallTime": 1,
                    "updateDescription": 1,
                    "delivery": "$fullDocument.delivery",
                }
            },
        ]
        return self._database.watch(pipeline, start_after=self._token, max_await_time_ms=200)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._open() as stream:
                    while not self._stop.is_set():
                        event = stream.try_next()
                        if event is not None:
                            self._note(event)
                        self._token = stream.resume_token
            except PyMongoError:
                # Away, as the test wants it. What is never recorded, `catch_up` waits for in vain.
                self._stop.wait(_PAUSE)

    def _note(self, event: dict[str, Any]) -> None:
        if "id" not in event:
            return  # the collection is dropped at the test's end
        if event["ns"]["coll"] == _MARKS:
            self._marks.add(event["id"])
            return
        id = key(event["id"])
        step = self._step(id, event)
        steps = self._steps.setdefault(id, [])
        if not steps or not steps[-1].same(step):
            steps.append(step)

    def _step(self, id: bytes, event: dict[str, Any]) -> Step:
        at: datetime = event["wallTime"]
        if event["operationType"] == "delete":
            return Step(at, DELETED)
        if event["operationType"] == "update":
            delivery = _updated(self._deliveries[id], event["updateDescription"])
        else:
            delivery = _map(event.get("delivery"))
        self._deliveries[id] = delivery
        names = ("state", "phase", "attempts", "worker", "error", "nextAttemptTime", "inDoubt")
        return Step(at, *(delivery.get(name) for name in names))


def _fields(step: Step) -> tuple[object, ...]:
    return step.state, step.phase, step.fence, step.error, step.next_attempt, step.in_doubt


def _map(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _updated(delivery: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Apply an update's description; fields deeper than ours in `delivery` do not matter here."""
    delivery = dict(delivery)
    for name, value in changes["updatedFields"].items():
        if name == "delivery":
            delivery = _map(value)
        elif name.startswith("delivery."):
            delivery[name.removeprefix("delivery.")] = value
    for name in changes["removedFields"]:
        if name == "delivery":
            delivery = {}
        delivery.pop(name.removeprefix("delivery."), None)
    return delivery

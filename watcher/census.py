"""Counts what is not done, now and then, for the metrics: never more than a few of each kind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import redis
import structlog
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from config.mongo import Document
from config.settings import Settings
from tasks.delivery.indexes import LIVE
from tasks.delivery.states import State
from tasks.lanes import Lane
from tasks.limits import keys
from tasks.limits.connect import connect
from tasks.observing import recorder


#: Seconds between two countings.
EVERY = 15.0
#: Documents of one state and priority, from which on nobody counts: an index scan of some ms.
MOST = 10_000
#: The server gives up counting then: entries of mails that are done may lie in the way.
_MILLISECONDS = 1000

_STATES: dict[str, State | None] = {
    "none": None,
    **{state.value: state for state in (State.PENDING, State.RETRY, State.PROCESSING)},
}
_PRIORITIES: list[tuple[Lane, str | None]] = [
    (Lane.HIGH, "high"),
    (Lane.NORMAL, None),
    (Lane.NORMAL, "normal"),
    (Lane.LOW, "low"),
]

_log = structlog.get_logger(__name__)


class Census:
    """A thread of the watcher; it counts while that one leads."""

    def __init__(
        self,
        mails: Collection[Document],
        settings: Settings,
        *,
        leads: Callable[[], bool],
    ) -> None:
        self._mails = mails
        names = [each.name for each in settings.transports]
        self._pauses = [keys.pauses(settings.broker_prefix, name) for name in names]
        self._circuits = {name: keys.circuit(settings.broker_prefix, name)[0] for name in names}
        self._threshold = settings.circuit_failures
        self._redis = connect(settings)
        self._leads = leads
        self._recorder = recorder()
        #: Whether anybody is told of events.
        self._events = bool(settings.events_url or settings.events_handler)
        self._places = mails.database[f"{mails.name}.watcher"]

    def start(self, stop: threading.Event) -> None:
        """Begin; the thread ends with the process."""
        threading.Thread(target=self._run, args=(stop,), name="census", daemon=True).start()

    def count(self) -> dict[tuple[str, str], int]:
        """Count by state and priority. Raises PyMongoError."""
        found: dict[tuple[str, str], int] = {}
        for name, state in _STATES.items():
            for lane, priority in _PRIORITIES:
                query = {"delivery.state": state, "priority": priority}
                mails = self._mails.count_documents(
                    query, hint=LIVE, limit=MOST, maxTimeMS=_MILLISECONDS
                )
                found[name, lane.value] = min(found.get((name, lane.value), 0) + mails, MOST)
        return found

    def paused_domains(self) -> int:
        """Count the domains that get no mail now, for each transport. Raises redis.RedisError."""
        now = time.time() * 1000
        pauses = [text for key in self._pauses for text in self._redis.hvals(key)]
        return sum(int(text.split()[0]) > now for text in pauses)

    def transports_away(self) -> dict[str, bool]:
        """Tell whose server cannot be reached. Raises redis.RedisError."""
        if not self._threshold:
            return {}
        return {
            name: int(self._redis.hget(key, "failures") or 0) >= self._threshold
            for name, key in self._circuits.items()
        }

    def events_behind(self) -> float | None:
        """Tell how long ago that happened which it was told of last. Raises PyMongoError."""
        age = {"$divide": [{"$subtract": ["$$NOW", "$reached"]}, 1000]}
        found = self._places.find_one({"_id": "events"}, {"age": age})
        return None if found is None or found.get("age") is None else float(found["age"])

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(EVERY if self._leads() else 1.0):
            try:
                if self._leads():
                    self._recorder.counted(
                        self.count(), self.paused_domains(), self.transports_away()
                    )
                    if self._events and (behind := self.events_behind()) is not None:
                        self._recorder.events_behind(behind)
            except (PyMongoError, redis.RedisError) as error:
                _log.debug("census.failed", error=str(error))

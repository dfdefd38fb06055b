"""Mails of high priority, inserted one after the other while the backlog is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from pymongo.collection import Collection

from bench.stack import mail
from tasks.clock import ServerClock


#: Seconds after which a mail counts as never sent.
GIVEN_UP = 60.0
_POLL = 0.01
_FIELDS = {"delivery.state": 1, "delivery.enqueueTime": 1}


@dataclass(frozen=True, slots=True)
class Probe:
    """One such mail."""

    #: time.monotonic() just before its insert.
    at: float
    #: Until its document said SUCCESS; GIVEN_UP when it never did.
    seconds: float
    #: Until the watcher had enqueued it; None when it had not.
    enqueued: float | None
    #: A watcher had just been killed, and no other led yet.
    leaderless: bool


class Urgent:
    """A thread that inserts one every few seconds until its `with` block ends."""

    def __init__(self, mails: Collection[dict[str, Any]], *, every: float) -> None:
        self.probes: list[Probe] = []
        self.failure: Exception | None = None
        self._mails = mails
        self._now = ServerClock(mails.database.client)
        self._every = every
        self._leaderless = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="urgent", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @contextmanager
    def no_leader(self) -> Iterator[None]:
        """Mark what is inserted meanwhile, or still waits at the beginning."""
        self._leaderless = True
        try:
            yield
        finally:
            self._leaderless = False

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._probe(len(self.probes))
            except Exception as error:  # noqa: BLE001 - raised again in the main thread
                self.failure = error
                return
            self._stop.wait(self._every)

    def _probe(self, number: int) -> None:
        document = {**mail(number), "to": f"urgent{number}@example.com", "priority": "high"}
        leaderless, inserted, started = self._leaderless, self._now(), time.monotonic()
        id = self._mails.insert_one(document).inserted_id
        delivery: dict[str, Any] = {}
        while delivery.get("state") != "SUCCESS" and time.monotonic() - started < GIVEN_UP:
            time.sleep(_POLL)
            leaderless |= self._leaderless
            delivery = (self._mails.find_one({"_id": id}, _FIELDS) or {}).get("delivery", {})
        sent = delivery.get("state") == "SUCCESS"
        seconds = time.monotonic() - started if sent else GIVEN_UP
        at = delivery.get("enqueueTime")
        enqueued = None if at is None else (at - inserted).total_seconds()
        self.probes.append(Probe(started, seconds, enqueued, leaderless))

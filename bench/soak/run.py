"""The story: N mails while nobody sends, a watcher killed twice, four workers, the count."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.soak.books import Books, balance
from bench.soak.figures import Sample
from bench.soak.progress import Progress
from bench.soak.queries import Explained, explain_all
from bench.soak.recorder import Recorder
from bench.soak.sinks import Postfix, Recording
from bench.soak.urgent import Probe, Urgent
from bench.stack import Stack, mail
from tasks.delivery.indexes import LIVE
from tasks.delivery.states import State


_CHUNK = 1000
_POLL = 0.1
#: Seconds between two mails of high priority.
_URGENT_EVERY = 3.0


@dataclass(slots=True)
class Outcome:
    """Everything seen; what is None was not reached."""

    mails: int
    insert_seconds: float | None = None
    #: From the last insert until no mail was without a state; the watcher had been killed.
    pending_seconds: float | None = None
    #: From the first worker's start until the last mail was settled.
    send_seconds: float | None = None
    #: From each kill -9 of the watcher until the next one led.
    takeovers: list[float] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    explained: list[Explained] = field(default_factory=list)
    books: Books | None = None
    #: Processes that ended by themselves.
    ended: list[str] = field(default_factory=list)
    late: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the run."""

    seconds: float
    queue_limit: int
    batch_size: int


class Soak:
    """One run on running servers."""

    def __init__(
        self, running: Stack, sink: Postfix | Recording, progress: Progress, limits: Limits
    ) -> None:
        self._running = running
        self._sink = sink
        self._progress = progress
        self._limits = limits
        self._end = time.monotonic() + limits.seconds
        self._watchers = 0

    def run(self, mails: int, workers: int) -> Outcome:
        """Tell it; returns what was seen also when the time is over."""
        outcome = Outcome(mails)
        self._watch()
        recorder = Recorder(
            self._running,
            self._sink.count,
            batch_size=self._limits.batch_size,
            queue_limit=self._limits.queue_limit,
        )
        with recorder:
            try:
                self._insert(outcome)
                self._explain(outcome, f"{mails:,} wait", mails)
                self._send(outcome, recorder, workers)
            except TimeoutError as error:
                outcome.late = str(error)
            outcome.ended = self._ended()
        outcome.samples = recorder.samples
        outcome.books = balance(self._running, self._sink)
        return outcome

    def _insert(self, outcome: Outcome) -> None:
        """Insert them all; the watcher dies in the middle."""
        inserting = _Inserting(self._running, outcome.mails)
        self._progress.begin("inserting", outcome.mails)
        inserting.start()
        self._until("half inserted", lambda: inserting.done >= outcome.mails / 2, inserting.count)
        outcome.takeovers.append(self._replace_watcher())
        self._until("all inserted", lambda: not inserting.is_alive(), inserting.count)
        outcome.insert_seconds = inserting.result()
        last_insert = inserting.ended
        self._progress.begin("writing PENDING", outcome.mails)
        self._until("all PENDING", lambda: not self._any(None), inserting.count)
        outcome.pending_seconds = time.monotonic() - last_insert

    def _send(self, outcome: Outcome, recorder: Recorder, workers: int) -> None:
        """Send them all, with urgent ones between; the watcher dies in the middle."""
        started = time.monotonic()
        for number in range(workers):
            self._running.worker(number)

        def sent() -> int:
            return recorder.last.done

        self._progress.begin("sending", outcome.mails)
        with Urgent(self._running.mails, every=_URGENT_EVERY) as urgent:
            outcome.probes = urgent.probes
            self._until("half sent", lambda: sent() >= outcome.mails / 2, sent)
            self._explain(outcome, "half sent", outcome.mails // 2)
            with urgent.no_leader():
                outcome.takeovers.append(self._replace_watcher())
            self._until("all sent", lambda: sent() >= outcome.mails, sent)
        if urgent.failure is not None:
            raise urgent.failure
        self._until("all settled", lambda: not self._any_live(), sent)
        outcome.send_seconds = time.monotonic() - started
        self._explain(outcome, "all sent", 0)

    def _watch(self) -> None:
        self._watchers += 1
        self._running.watcher(f"watcher{self._watchers}")

    def _replace_watcher(self) -> float:
        killed = time.monotonic()
        self._running.servers[f"watcher{self._watchers}"].kill()
        self._watch()
        return time.monotonic() - killed

    def _until(self, what: str, reached: Callable[[], bool], count: Callable[[], int]) -> None:
        while not reached():
            if time.monotonic() > self._end:
                raise TimeoutError(f"the time was over before it was {what}: {count():,} mails")
            self._progress.show(count())
            time.sleep(_POLL)

    def _explain(self, outcome: Outcome, when: str, waiting: int) -> None:
        uri, database = self._running.environment["MONGODB_URI"], self._running.mails.database.name
        outcome.explained += explain_all(uri, database, when, waiting)

    def _any(self, state: State | None) -> bool:
        query = {"delivery.state": state}
        return self._running.mails.find_one(query, {"_id": 1}, hint=LIVE) is not None

    def _any_live(self) -> bool:
        return any(map(self._any, (None, State.PENDING, State.RETRY, State.PROCESSING)))

    def _ended(self) -> list[str]:
        killed = {f"watcher{number}" for number in range(1, self._watchers)}
        servers = self._running.servers.items()
        return [
            name for name, server in servers if server.returncode is not None and name not in killed
        ]


class _Inserting(threading.Thread):
    """Inserts all mails; a service would."""

    def __init__(self, running: Stack, mails: int) -> None:
        super().__init__(name="inserting", daemon=True)
        self._mails = mails
        self._running = running
        self._failure: Exception | None = None
        self._began = self.ended = 0.0
        self.done = 0

    def run(self) -> None:
        self._began = time.monotonic()
        try:
            for start in range(0, self._mails, _CHUNK):
                chunk = range(start, min(start + _CHUNK, self._mails))
                self._running.mails.insert_many([mail(each) for each in chunk], ordered=False)
                self.done += len(chunk)
        except Exception as error:  # noqa: BLE001 - raised again by `result`
            self._failure = error
        self.ended = time.monotonic()

    def count(self) -> int:
        return self.done

    def result(self) -> float:
        """Return the seconds it took."""
        if self._failure is not None:
            raise self._failure
        return self.ended - self._began

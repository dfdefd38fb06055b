"""One fault, done to the processes of one application: what was measured, and the books."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.processes import Server
from tasks.delivery.states import State
from tests.chaos.books import Books, Rules, balance
from tests.support.application import Application, eventually
from tests.support.fault_table import Recovery, Row
from tests.support.history import History, Step
from tests.support.sink import Sink


#: Mails that go through each fault, at least.
MAILS = 500
#: Seconds that this machine, busy with other tests, may add to what Mailtrigger promises.
TOLERANCE = 5.0

#: pytest's record_property.
Record = Callable[[str, object], None]


@dataclass(frozen=True)
class Probe:
    """A mail inserted when a fault was over."""

    id: Any
    inserted: datetime


class Trial:
    """Does, measures, balances; every fault ends with `balance`."""

    def __init__(
        self, application: Application, sink: Sink, history: History, record: Record
    ) -> None:
        self.application = application
        self.sink = sink
        self.history = history
        self._record = record
        self._killed: dict[int, datetime] = {}
        self._late: set[int] = set()
        self._recoveries: list[Recovery] = []
        self._probes = 0

    def kill(self, server: Server) -> float:
        """kill -9; tell the time.monotonic() of it."""
        killed = time.monotonic()
        server.kill()
        self._killed[server.pid] = datetime.now(UTC)
        return killed

    def excuse(self, worker: Server) -> None:
        """Allow that its leases run out while it lives: it will stand still, or be cut off."""
        self._late.add(worker.pid)

    def wait_until_leads(self, watcher: Server, since: float, promise: float) -> None:
        """Wait until a watcher leads, and note how long that took since time.monotonic()."""
        eventually("it leads", lambda: "watcher.leads" in watcher.log.read_text(), 30)
        self.note("another watcher leads", time.monotonic() - since, promise)

    def note(self, what: str, seconds: float, promise: float) -> None:
        """Note a time to recover; fail when it is longer than promised."""
        self._recoveries.append(Recovery(what, seconds, promise))
        assert seconds <= promise + TOLERANCE, f"{what}: {seconds:.1f} s, promised {promise:g} s"

    def probe(self) -> Probe:
        """Insert a mail that overtakes all others: when it is sent, the service is back."""
        self._probes += 1
        to = f"probe{self._probes}@example.com"
        inserted = datetime.now(UTC)
        [id] = self.application.insert(to=to, priority="high")
        return Probe(id, inserted)

    def note_sent(self, probe: Probe, promise: float) -> None:
        """Wait until it is sent, and note how long that took."""
        self.application.wait_for(probe.id, State.SUCCESS, seconds=60)
        self.history.catch_up()
        [sent] = (step for step in self.history.of(probe.id) if step.state == State.SUCCESS)
        self.note("a new mail is sent", (sent.at - probe.inserted).total_seconds(), promise)

    def longest_stall(self, since: datetime) -> float:
        """Tell the longest time, from `since` on, in which no mail became SUCCESS."""
        self.history.catch_up()
        times = [
            step.at
            for steps in self.history.all()
            for step in steps
            if step.state == State.SUCCESS and step.at > since
        ]
        row = [since, *sorted(times)]
        return max((b - a).total_seconds() for a, b in itertools.pairwise(row))

    def in_killed_hands(self) -> list[tuple[Step, Step]]:
        """Tell what a killed worker left behind, and what became of each: the next step."""
        return [
            (before, after)
            for steps in self.history.all()
            for before, after in itertools.pairwise(steps)
            if before.state == State.PROCESSING and self._died_with(before, after)
        ]

    def note_leases(self, lease: float, sweep: float) -> None:
        """Note how long the longest expired lease of a killed worker stood unmarked."""
        self.history.catch_up()
        late = [
            (after.at - self._killed[before.pid]).total_seconds()
            for before, after in self.in_killed_hands()
            if before.pid is not None
        ]
        assert late, "no mail was in the hands of a killed worker"
        self.note("every lease marked", max(late), lease + sweep)

    def wait_until_settled(self, seconds: float = 60) -> None:
        """Wait until every mail is SUCCESS or ERROR."""
        mails = self.application.mails
        open_ = {"delivery.state": {"$nin": [State.SUCCESS, State.ERROR]}}
        try:
            eventually("all settled", lambda: not mails.count_documents(open_), seconds)
        except TimeoutError as error:
            states = self.application.states()
            raise TimeoutError(f"{error}; now: {states}\n{self.application.logs()}") from None

    def balance(
        self,
        fault: str,
        *,
        unsent: str | None = None,
        in_doubt: str | None = None,
        remarks: Iterable[str] = (),
    ) -> Books:
        """Balance the books and note them for the table that pytest prints; fail on a problem."""
        self.history.catch_up()
        documents: list[dict[str, Any]] = list(
            self.application.mails.find({}, {"to": 1, "delivery": 1})
        )
        history = {document["_id"]: self.history.of(document["_id"]) for document in documents}
        rules = Rules(frozenset(self._killed), frozenset(self._late), unsent, in_doubt)
        books = balance(documents, list(self.sink.messages), history, rules)
        row = Row(fault, len(documents), books.states, books.taken, self._recoveries, [*remarks])
        self._record(Row.NAME, row.plain())
        assert books.problems == [], f"{fault}: {books}"
        assert len(documents) >= MAILS
        return books

    def _died_with(self, before: Step, after: Step) -> bool:
        killed = self._killed.get(before.pid) if before.pid is not None else None
        return killed is not None and before.at <= killed < after.at

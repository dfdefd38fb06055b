"""One fault, done to the processes of one application: what was measured, and the books."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
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
TOLERANCE = 3.0

#: pytest's record_property.
Record = Callable[[str, object], None]


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
        self._recoveries: list[Recovery] = []

    def kill(self, server: Server) -> float:
        """kill -9; tell the time.monotonic() of it."""
        killed = time.monotonic()
        server.kill()
        self._killed[server.pid] = datetime.now(UTC)
        return killed

    def wait_until_leads(self, watcher: Server, since: float, promise: float) -> None:
        """Wait until a watcher leads, and note how long that took since time.monotonic()."""
        eventually("it leads", lambda: "watcher.leads" in watcher.log.read_text(), 30)
        self.note("another watcher leads", time.monotonic() - since, promise)

    def note(self, what: str, seconds: float, promise: float) -> None:
        """Note a time to recover; fail when it is longer than promised."""
        self._recoveries.append(Recovery(what, seconds, promise))
        assert seconds <= promise + TOLERANCE, f"{what}: {seconds:.1f} s, promised {promise:g} s"

    def in_killed_hands(self) -> list[tuple[Step, Step]]:
        """Tell what a killed worker left behind, and what became of each: the next step."""
        return [
            (before, after)
            for steps in self.history.all()
            for before, after in zip(steps, steps[1:], strict=False)
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

    def wait_until_settled(self, count: int, seconds: float = 60) -> None:
        """Wait until so many mails are SUCCESS or ERROR, and no others are there."""
        mails = self.application.mails
        ended = {"delivery.state": {"$in": [State.SUCCESS, State.ERROR]}}
        try:
            eventually("all settled", lambda: mails.count_documents(ended) == count, seconds)
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
        """Balance the books, print them and note them for the table; fail on any problem."""
        self.history.catch_up()
        documents: list[dict[str, Any]] = list(
            self.application.mails.find({}, {"to": 1, "delivery": 1})
        )
        history = {document["_id"]: self.history.of(document["_id"]) for document in documents}
        rules = Rules(frozenset(self._killed), unsent, in_doubt)
        books = balance(documents, list(self.sink.messages), history, rules)
        row = Row(fault, len(documents), books.states, books.taken, self._recoveries, [*remarks])
        print(row)
        self._record(Row.NAME, row.plain())
        assert books.problems == [], f"{fault}: {books}"
        assert len(documents) >= MAILS
        return books

    def _died_with(self, before: Step, after: Step) -> bool:
        killed = self._killed.get(before.pid) if before.pid is not None else None
        return killed is not None and before.at <= killed < after.at

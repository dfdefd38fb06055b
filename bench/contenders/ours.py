"""Mailtrigger: watcher and workers, as the Procfile starts them."""

from __future__ import annotations

from typing import ClassVar

from bench.contenders.base import Guarantees, MongoContender


_GUARANTEES = Guarantees(
    lease="each document, fenced by attempt",
    crash="unsent: sent by another worker; in doubt: ERROR that says so; never twice",
    outcome="each recipient, in the document",
)


class Ours(MongoContender):
    """Every setting at its default, but for a slow server WORKER_CONCURRENCY."""

    name = "ours"
    title = "Mailtrigger"
    guarantees = _GUARANTEES
    variables: ClassVar[dict[str, str]] = {}
    #: One for each core; each has a MongoDB client and connections of its own.
    processes: ClassVar[int] = 1
    slow_threads: ClassVar[int] = 48

    def start(self, *, slow: bool) -> None:
        self.running.watcher(**self.variables)
        self.start_workers(slow=slow)

    def workers(self) -> list[str]:
        return [f"worker{number}" for number in range(self.processes)]

    def start_workers(self, *, slow: bool) -> None:
        variables = dict(self.variables)
        if slow:
            variables["WORKER_CONCURRENCY"] = str(self.slow_threads)
        for number in range(self.processes):
            self.running.worker(number, **variables)


class OursTwo(Ours):
    name = "ours-2"
    title = "Mailtrigger, 2 worker processes"
    processes = 2


class OursEach(Ours):
    """A findOneAndUpdate for every mail."""

    name = "ours-each"
    title = "Mailtrigger, CLAIM=each"
    variables: ClassVar[dict[str, str]] = {"CLAIM": "each"}

"""What every contender can do: start, take mails, say what became of them, be killed."""

from __future__ import annotations

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from bench import meter
from bench.stack import Stack, mail


#: Mails in one insert.
CHUNK = 500


class NotRun(Exception):
    """A contender cannot be measured on this machine; the text says why."""


@dataclass(frozen=True)
class Guarantees:
    """What a contender promises, in a few words each: a faster one that forgets is not faster."""

    #: Who keeps two workers from sending the same mail?
    lease: str
    #: What becomes of the mails in the hands of a killed worker?
    crash: str
    #: Where does it stand which recipient was taken or refused?
    outcome: str


@dataclass(frozen=True)
class Books:
    """What the contender's own store says of its mails."""

    sent: int
    #: Ended otherwise, and somebody can read it there.
    failed: int

    @property
    def settled(self) -> int:
        return self.sent + self.failed


class Contender(ABC):
    """One way to send the mails, on a stack of its own."""

    name: ClassVar[str]
    title: ClassVar[str]
    guarantees: ClassVar[Guarantees]
    #: Seconds after a kill in which it may recover; less where nobody would ever look again.
    patience: ClassVar[float] = 150.0
    #: Whether its processes can sleep while the mails are put in front of them.
    can_pause: ClassVar[bool] = True

    def __init__(self, running: Stack) -> None:
        self.running = running

    @classmethod  # noqa: B027 - most need nothing
    def install(cls) -> None:
        """Fetch what it needs; raises NotRun."""

    def prepare(self) -> None:  # noqa: B027 - most need nothing
        """Start the servers it needs beside the stack's, and make its tables."""

    @abstractmethod
    def start(self, *, slow: bool) -> None:
        """Start its processes; `slow`: with the concurrency that a slow SMTP server calls for."""

    def stop(self) -> None:
        """End its processes in order."""
        for name in self._processes():
            self.running.stop(name)

    @abstractmethod
    def insert(self, numbers: Sequence[int]) -> float:
        """Hand over these mails as an application would; return the CPU seconds of doing so."""

    @abstractmethod
    def books(self) -> Books:
        """Read its own store."""

    def failures(self) -> set[str]:
        """Name the recipients of the mails that its store calls failed or in doubt."""
        return set()

    @abstractmethod
    def workers(self) -> list[str]:
        """Name the processes that send; they are the ones to be killed."""

    @abstractmethod
    def start_workers(self, *, slow: bool) -> None:
        """Start those that send."""

    def kill_workers(self) -> None:
        """End those that send by SIGKILL, with all their children."""
        for name in self.workers():
            server = self.running.servers.pop(name)
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(10)

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Stop its processes meanwhile, so that mails can gather in front of them."""
        if not self.can_pause:
            yield
            return
        pids = meter.application(self.running)
        for pid in pids:
            os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.killpg(pid, signal.SIGCONT)

    def _processes(self) -> list[str]:
        names = [name for name in self.running.servers if meter.part(name) == meter.APPLICATION]
        return names[::-1]


class MongoContender(Contender):
    """Takes documents from the collection of mails, and writes `delivery` into them."""

    def insert(self, numbers: Sequence[int]) -> float:
        started = time.thread_time()
        for start in range(0, len(numbers), CHUNK):
            chunk = [mail(number) for number in numbers[start : start + CHUNK]]
            self.running.mails.insert_many(chunk, ordered=False)
        return time.thread_time() - started

    def books(self) -> Books:
        groups: list[dict[str, Any]] = [
            {"$match": {"delivery.state": {"$in": ["SUCCESS", "ERROR"]}}},
            {"$group": {"_id": "$delivery.state", "count": {"$sum": 1}}},
        ]
        found = {each["_id"]: each["count"] for each in self.running.mails.aggregate(groups)}
        return Books(sent=found.get("SUCCESS", 0), failed=found.get("ERROR", 0))

    def failures(self) -> set[str]:
        failed = self.running.mails.find({"delivery.state": "ERROR"}, {"to": 1})
        return {each["to"] for each in failed}

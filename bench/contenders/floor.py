"""The floor: what claim, SMTP and result cost without Celery and watcher."""

from __future__ import annotations

import sys
from typing import ClassVar

from bench.contenders.base import Guarantees, MongoContender


class Floor(MongoContender):
    """Majority writes, one for each claim and each result."""

    name = "floor"
    title = "floor: bare loop"
    guarantees = Guarantees(
        lease="each document",
        crash="none: what was in hand stays there for ever",
        outcome="each recipient, in the document",
    )
    patience = 5.0
    options: ClassVar[list[str]] = []

    def start(self, *, slow: bool) -> None:
        self.start_workers(slow=slow)

    def workers(self) -> list[str]:
        return ["worker"]

    def start_workers(self, *, slow: bool) -> None:
        command = [sys.executable, "-m", "bench.floor", "128" if slow else "16"]
        self.running.start("worker", [*command, *self.options], "ready.")


class GroupedFloor(Floor):
    """Claims, marks and results written as our worker writes them."""

    name = "floor-grouped"
    title = "floor: bare loop, grouped writes"
    options: ClassVar[list[str]] = ["grouped"]

"""How far it is: a bar at a terminal, a line now and then in a pipe."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar


#: Seconds between two lines in a pipe.
_LINE_EVERY = 10.0


class Progress:
    """One stage after the other; use it in a `with` block."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn())
        times = (TimeElapsedColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, *times, console=console, disable=not console.is_terminal)
        self._stage: TaskID | None = None
        self._name, self._total = "", 0
        self._line_due = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, name: str, total: int) -> None:
        """Begin a stage."""
        if self._stage is not None:
            self._bar.update(self._stage, completed=self._total)
        self._name, self._total = name, total
        self._stage = self._bar.add_task(name, total=total)
        self._say(name)

    def show(self, done: int) -> None:
        """Say how far the stage is."""
        if self._stage is not None:
            self._bar.update(self._stage, completed=done)
        if time.monotonic() >= self._line_due:
            self._say(f"{self._name}: {done:,} of {self._total:,}")

    def _say(self, text: str) -> None:
        self._line_due = time.monotonic() + _LINE_EVERY
        if not self._console.is_terminal:
            self._console.print(f"{datetime.now(UTC):%H:%M:%S} {text}", highlight=False)

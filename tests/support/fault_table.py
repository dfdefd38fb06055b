"""The table of faults that pytest prints at its end, also when its workers are many (xdist)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import pytest


@dataclass(frozen=True)
class Recovery:
    """How long something took to be as before, and how long it may take, in seconds."""

    what: str
    seconds: float
    promise: float

    def __str__(self) -> str:
        return f"{self.what} after {self.seconds:.1f} s of {self.promise:g} s"


@dataclass(frozen=True)
class Row:
    """One fault and its balance."""

    #: The property of a test that holds a row.
    NAME: ClassVar = "fault"

    fault: str
    mails: int
    states: Mapping[str, int]
    taken: int
    recoveries: list[Recovery]
    remarks: list[str]

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        head = f"{self.fault}: {self.mails} mails: {states}; {self.taken} at the server"
        return "; ".join([head, *map(str, self.recoveries), *self.remarks])

    def plain(self) -> dict[str, Any]:
        """Make what xdist can carry from one process to another."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `plain` made."""
        recoveries = [Recovery(**each) for each in plain["recoveries"]]
        return cls(**{**plain, "recoveries": recoveries})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows of all tests that noted one."""
    rows = [
        Row.of(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == Row.NAME
    ]
    if not rows:
        return
    terminalreporter.section("faults: what was sent, and how long until all was well again")
    for row in sorted(rows, key=lambda row: row.fault):
        terminalreporter.write_line(str(row))

"""The results of a run: rows, their medians, and the Markdown that is printed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bench.contenders.base import Guarantees
from bench.works import Crash, Drained, Latency


#: What a mail costs, but for the servers that stand in for the world.
PARTS = ("application", "database", "broker")


@dataclass
class Row:
    """One contender; each list has a measurement for each round."""

    name: str
    title: str
    guarantees: Guarantees
    fast: list[Drained] = field(default_factory=list)
    slow: list[Drained] = field(default_factory=list)
    latency: list[Latency] = field(default_factory=list)
    crash: Crash | None = None
    #: Why something was not measured.
    not_run: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        return _median(each.rate for each in _valid(self.fast))

    @property
    def slow_rate(self) -> float | None:
        return _median(each.rate for each in _valid(self.slow))

    @property
    def cpu(self) -> float | None:
        """CPU ms a mail of all parts together."""
        return _median(sum(each.cpu.get(part, 0.0) for part in PARTS) for each in _valid(self.fast))

    def part(self, name: str) -> float | None:
        return _median(each.cpu.get(name, 0.0) for each in _valid(self.fast))

    @property
    def memory(self) -> float | None:
        return _median(each.memory_mb for each in _valid(self.fast))

    @property
    def p50(self) -> float | None:
        return _median(each.p50 for each in self.latency)

    @property
    def p99(self) -> float | None:
        return _median(each.p99 for each in self.latency)

    @property
    def problems(self) -> list[str]:
        invalid = [each.invalid for each in (*self.fast, *self.slow) if each.invalid]
        return [f"not run: {why}" for why in self.not_run] + [f"invalid: {why}" for why in invalid]


def markdown(rows: Sequence[Row]) -> str:
    """Make the tables; medians of the rounds whose books balance."""
    tables = []
    if any(row.fast or row.slow or row.latency or row.not_run for row in rows):
        tables.append(_speeds(rows))
    if any(row.fast for row in rows):
        tables.append(_costs(rows))
    if any(row.crash for row in rows):
        tables.append(_crashes(rows))
    tables.append(_guarantees(rows))
    problems = [f"{row.name}: {each}" for row in rows for each in row.problems]
    return "\n\n".join([*tables, *problems])


def _speeds(rows: Sequence[Row]) -> str:
    head = ["", "mails/s", "slow server, mails/s", "p50 ms", "p99 ms", "memory MB", "books"]
    lines = [
        [
            row.title,
            _number(row.rate, 0),
            _number(row.slow_rate, 0),
            _number(row.p50, 1),
            _number(row.p99, 1),
            _number(row.memory, 0),
            _books(row),
        ]
        for row in rows
    ]
    return _table(head, lines)


def _costs(rows: Sequence[Row]) -> str:
    floor = next((row.cpu for row in rows if row.name == "floor"), None)
    head = ["CPU ms a mail", *PARTS, "sum", "× floor", "producer", "sink"]
    lines = [
        [
            row.title,
            *(_number(row.part(part), 2) for part in PARTS),
            _number(row.cpu, 2),
            _number(row.cpu / floor if row.cpu and floor else None, 2),
            _number(row.part("producer"), 2),
            _number(row.part("sink"), 2),
        ]
        for row in rows
    ]
    return _table(head, lines)


def _books(row: Row) -> str:
    if not row.problems:
        return "balance"
    return "not run" if row.not_run and not row.fast else "see below"


def _crashes(rows: Sequence[Row]) -> str:
    head = ["kill -9, mails", "sent twice", "never sent", "… and reported"]
    head += ["sent, called in doubt", "no outcome", "settled after, s"]
    lines = [
        [
            row.title,
            *(str(each) for each in (crash.twice, crash.unsent, crash.reported)),
            *(str(each) for each in (crash.in_doubt, crash.stuck)),
            "never" if crash.seconds is None else _number(crash.seconds, 1),
        ]
        for row in rows
        if (crash := row.crash) is not None
    ]
    return _table(head, lines)


def _guarantees(rows: Sequence[Row]) -> str:
    lines = [
        [row.title, row.guarantees.lease, row.guarantees.crash, row.guarantees.outcome]
        for row in rows
    ]
    return _table(["", "lease", "after a kill", "outcome"], lines)


def _table(head: list[str], lines: list[list[str]]) -> str:
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]

    def padded(line: Sequence[str], pad: Callable[[str, int], str] = str.ljust) -> str:
        cells = (pad(cell, width) for cell, width in zip(line, widths, strict=True))
        return f"| {' | '.join(cells)} |"

    rule = padded(["-" * width for width in widths])
    return "\n".join([padded(head), rule, *(padded(line) for line in lines)])


def _valid(drained: Iterable[Drained]) -> list[Drained]:
    return [each for each in drained if each.invalid is None]


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"

"""CPU time of a step in this process and in mongod, round by round."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple


#: Who does a step: our code, or a bare call that has the same effect.
OURS, BARE = "ours", "bare"
CLIENT, SERVER = "client", "server"


class Part(NamedTuple):
    """A step, and the process whose CPU time it is."""

    step: str
    process: str

    def __str__(self) -> str:
        return f"{self.step}, {self.process}"


@dataclass
class Stopwatch:
    """µs a mail, by part and by who does it, of every round."""

    server_pid: int
    samples: dict[Part, dict[str, list[float]]] = field(default_factory=dict)

    @contextmanager
    def time(self, step: str, side: str, mails: int, *, server: bool = False) -> Iterator[None]:
        """Measure what is done inside; `server`: and what mongod does for it."""
        mongod, client = _cpu_ns(self.server_pid) if server else 0, time.process_time_ns()
        yield
        client = time.process_time_ns() - client
        self._note(Part(step, CLIENT), side, client / mails)
        if server:
            self._note(Part(step, SERVER), side, (_cpu_ns(self.server_pid) - mongod) / mails)

    def middle(self, part: Part, side: str) -> float:
        """Give the median of all rounds."""
        return statistics.median(self.samples[part][side])

    def ratios(self) -> dict[str, float]:
        """Give ours divided by bare, for each part: the median of the rounds' own ratios.

        The two of a round are milliseconds apart, so what else the machine does meets both.
        """
        return {str(part): _ratio(sides[OURS], sides[BARE]) for part, sides in self.samples.items()}

    def _note(self, part: Part, side: str, nanoseconds: float) -> None:
        sides = self.samples.setdefault(part, {OURS: [], BARE: []})
        sides[side].append(nanoseconds / 1000)


def _ratio(ours: list[float], bare: list[float]) -> float:
    return statistics.median(each / beside for each, beside in zip(ours, bare, strict=True))


def _cpu_ns(pid: int) -> int:
    """Read another process's CPU clock: /proc/PID/stat knows only hundredths of a second.

    clock_getcpuclockid(3), whose number Linux makes so; threads that have ended are in it.
    """
    return time.clock_gettime_ns((~pid << 3) | 2)

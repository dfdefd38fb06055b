"""SMTP servers that keep books: how many mails they took, and for whom."""

from __future__ import annotations

import os
import re
import shutil
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.stack import ROOT, SBIN, Stack
from local import ports
from local.processes import Server


#: smtp-sink -c writes its counters after each mail; the last whole line is near the end.
_COUNTED = re.compile(rb"mesg=(\d+)\r")
_TAIL = 200


class BookedSink(ABC):
    """The stack's server `sink`, started in the place of the one before it."""

    def __init__(self, running: Stack, command: Callable[[int], list[str]]) -> None:
        if "sink" in running.servers:
            running.stop("sink")
        self.port = ports.free()
        self._log = running.directory / f"sink.{self.port}.log"
        server = Server(
            name="sink",
            command=command(self.port),
            log=self._log,
            ready=lambda _pid: ports.accepts(self.port),
            directory=ROOT,
        )
        running.add("sink", server)
        running.environment["SMTP_CONNECTION_URI"] = f"smtp://127.0.0.1:{self.port}"

    @abstractmethod
    def count(self) -> int:
        """Tell how many mails it has taken."""


class FastSink(BookedSink):
    """Postfix's smtp-sink: it answers at once."""

    def __init__(self, running: Stack) -> None:
        super().__init__(running, _smtp_sink)

    def count(self) -> int:
        with self._log.open("rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - _TAIL))
            counted = _COUNTED.findall(log.read())
        return int(counted[-1]) if counted else 0


class RecordingSink(BookedSink):
    """bench.slow_sink: it waits before every reply, and notes the recipients of each mail."""

    def __init__(self, running: Stack, delay_ms: int) -> None:
        self._records: Path = running.directory / "recipients"
        self._records.write_bytes(b"")
        super().__init__(running, lambda port: _slow_sink(port, delay_ms, self._records))

    def count(self) -> int:
        return self._records.read_bytes().count(b"\n")

    def copies(self) -> Counter[str]:
        """Tell how often each recipient was sent a mail."""
        return Counter(self._records.read_text(encoding="utf-8").split())


def _smtp_sink(port: int) -> list[str]:
    program = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:{SBIN}")
    if program is None:
        sys.exit("bench: no smtp-sink: sudo apt-get install postfix (it need not run)")
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    # -c: counts mails; -m: more connections than any contender opens
    return [program, *user, "-c", "-m", "1000", f"127.0.0.1:{port}", "1000"]


def _slow_sink(port: int, delay_ms: int, records: Path) -> list[str]:
    return [sys.executable, "-m", "bench.slow_sink", str(port), str(delay_ms), str(records)]

"""Child processes that serve: started, waited for until they answer, and stopped for certain."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local import tether


_POLL_SECONDS = 0.01
_QUOTED_LINES = 15


class StartError(Exception):
    """A server did not come up; the text quotes the last lines of its log."""


@dataclass
class Server:
    """A child process in a session of its own; what it prints goes to `log`, appended.

    It gets `death_signal` when the thread that started it ends in whatever way, so it never
    outlives us (Linux). `ready` is given the process id and answers whether it serves, it and not
    another that took its port.
    """

    name: str
    command: Sequence[str]
    log: Path
    ready: Callable[[int], bool]
    environment: Mapping[str, str] | None = None
    directory: Path | None = None
    death_signal: signal.Signals = signal.SIGKILL
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def pid(self) -> int:
        """The process id; raises RuntimeError before the start."""
        return self._started().pid

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._started().poll()

    def start(self, *, timeout: float = 30) -> None:
        """Start, and return when `ready`.

        Raises StartError when it ends by itself or is not ready after `timeout` seconds.
        """
        self.launch()
        deadline = time.monotonic() + timeout
        try:
            while not self.ready(self.pid):
                self._check(deadline, timeout)
                time.sleep(_POLL_SECONDS)
        except BaseException:
            self.kill()
            raise

    def launch(self) -> None:
        """Start without waiting."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                tether.command(list(self.command), self.death_signal),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.directory,
                start_new_session=True,  # Ctrl-C at the terminal is ours to pass on, in order
            )

    def stop(self, *, timeout: float = 10) -> int:
        """SIGTERM, after `timeout` seconds SIGKILL; return the exit code. Harmless if it ended."""
        process = self._started()
        process.terminate()
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL, and wait for the end; return the exit code."""
        process = self._started()
        process.kill()
        return process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process has ended."""
        self._started().send_signal(number)

    def wait(self, timeout: float) -> bool:
        """Wait for its end at most so many seconds; tell whether it ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._started().wait(timeout)
        return self.returncode is not None

    def last_lines(self, count: int = _QUOTED_LINES) -> str:
        """Quote the end of its log."""
        return last_lines(self.log, count)

    def _check(self, deadline: float, timeout: float) -> None:
        code = self.returncode
        if code is not None:
            problem = f"ended at once with exit code {code}"
        elif time.monotonic() > deadline:
            problem = f"did not answer within {timeout:g} seconds"
        else:
            return
        raise StartError(f"{self.name} {problem}. The end of {self.log}:\n{self.last_lines()}")

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self.name} has not been started")
        return self._process


def last_lines(log: Path, count: int = _QUOTED_LINES) -> str:
    """Quote the end of a log file, indented; "(empty)" when there is nothing."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-count:]) or "  (empty)"

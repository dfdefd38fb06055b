"""The sender's process, kept running beside a watcher: mails do not wait for a slow receiver."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import structlog


#: Seconds between two starts, from the first to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
#: Seconds after which a process counts as having run well.
_WELL = 60.0
#: Seconds for its end: it finishes requests and saves how far it has come.
_PATIENCE = 10.0

_log = structlog.get_logger(__name__)


class Child:
    """One process at a time. It ends with this one, even when that is killed: its input ends."""

    def __init__(self, stop: threading.Event) -> None:
        """It ends when `stop` is set; what it has not delivered, the next one delivers."""
        self._stop = stop
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait(self) -> None:
        """Return when it has ended."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            started = time.monotonic()
            code = self._attend()
            if self._stop.is_set():
                return
            pause = _FIRST_PAUSE if time.monotonic() - started > _WELL else pause
            _log.error("events.ended", exit_code=code, again_in=pause)
            self._stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _attend(self) -> int:
        command = [sys.executable, "-m", "watcher.events", "--tied"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: S603 - our own
            while process.poll() is None and not self._stop.wait(0.2):
                pass
            assert process.stdin is not None  # noqa: S101 - for mypy: it is a pipe
            process.stdin.close()
            try:
                return process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()

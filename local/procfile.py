"""Runs the lines of the Procfile through honcho: `python -m local.procfile PROCFILE LOGS`.

A process of its own, because honcho takes the signals and the main thread for itself. What each
line prints goes to LOGS/<name>.log. When one ends by itself, all end, and the reason is printed.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from pathlib import Path
from typing import IO, Any

import honcho.manager
import honcho.process
from honcho.environ import parse_procfile

from local import tether
from local.processes import last_lines


RELEASE = "release"

#: How long the others may take once one has ended: a worker finishes the mails in its hands, which
#: the local inbox takes at once, and a real SMTP server within SMTP_TIMEOUT_SECONDS.
_KILL_SECONDS = 30

#: honcho's announcement; its Manager offers no other way to learn which process ended first.
_STOPPED = re.compile(r"(\S+) stopped \(rc=(-?\d+)\)")

#: A command without shell syntax, which `exec` can precede.
_SIMPLE = re.compile(r"[\w./-]+(\s+[\w./:=@,+-]+)*")


def lines(procfile: Path) -> dict[str, str]:
    """Read a Procfile: name → command, in order."""
    processes: dict[str, str] = parse_procfile(procfile.read_text(encoding="utf-8")).processes
    return dict(processes)


class _Process(honcho.process.Process):  # type: ignore[misc]  # honcho has no types
    """A line of the Procfile that ends when honcho ends, in whatever way."""

    cmd: str

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._parent = os.getpid()

    def run(self, *arguments: Any) -> None:
        # In the process that multiprocessing made for it.
        tether.tie(self._parent)
        # dash keeps waiting beside the command it runs; the tether must hold the command itself.
        line = f"exec {self.cmd}" if _SIMPLE.fullmatch(self.cmd) else self.cmd
        self.cmd = "exec " + shlex.join(tether.command(["/bin/sh", "-c", line]))
        super().run(*arguments)


class _Manager(honcho.manager.Manager):  # type: ignore[misc]  # honcho has no types
    def __init__(self, printer: _Logs) -> None:
        super().__init__(printer)
        self._process_ctor = _Process
        signal.signal(signal.SIGALRM, lambda _signal, _frame: self.terminate())

    def terminate(self) -> None:
        """Stop all; honcho's own fails on a process that has not announced its start yet."""
        self._printer.stopping = True
        if self._all_started():
            super().terminate()
        else:
            signal.setitimer(signal.ITIMER_REAL, 0.05)


class _Logs:
    """honcho's printer: a file for each process, and a note of the first that ended by itself."""

    def __init__(self, directory: Path) -> None:
        self.width = 0  # honcho's interface
        self.stopping = False
        self.ended: tuple[str, int] | None = None
        self._directory = directory
        self._files: dict[str, IO[str]] = {}

    def write(self, message: Any) -> None:
        """Write one of honcho's messages, text or bytes."""
        data = message.data
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
        stopped = (
            _STOPPED.match(text) if message.name == honcho.manager.SYSTEM_PRINTER_NAME else None
        )
        if stopped and not self.stopping and self.ended is None:
            self.ended = stopped[1], int(stopped[2])
        self._file(message.name).write(text)

    def _file(self, name: str) -> IO[str]:
        if name not in self._files:
            path = self.path(name)
            self._files[name] = path.open("w", encoding="utf-8", buffering=1)
        return self._files[name]

    def path(self, name: str) -> Path:
        """Return where the lines of a process are written."""
        return self._directory / f"{name}.log"


def main(procfile: Path, directory: Path) -> int:
    """Run until SIGTERM; return 0 then, and 1 when a process ended by itself."""
    honcho.manager.KILL_WAIT = _KILL_SECONDS
    logs = _Logs(directory)
    manager = _Manager(logs)
    for name, command in lines(procfile).items():
        if name != RELEASE:
            manager.add_process(name, command)
    manager.loop()
    if logs.ended is None:
        return 0
    name, code = logs.ended
    log = logs.path(name)
    print(f"{name} ended by itself, exit code {code}. The end of {log}:\n{last_lines(log)}")  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))

"""Commands as a user runs them: in a pipe, or at a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


ROOT = Path(__file__).parents[2]
_PATIENCE = 60
#: What a terminal obeys begins with it.
ESCAPE = "\x1b"


@dataclass(frozen=True)
class Ended:
    """A command that has ended; at a terminal all that was shown is `out`."""

    code: int
    out: str
    err: str = ""


def in_pipe(environment: Mapping[str, str], *arguments: str, stdin: str = "") -> Ended:
    """Run `python -m tasks …` without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "tasks", *arguments],
        cwd=ROOT,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def at_terminal(
    environment: Mapping[str, str], *arguments: str, answers: Mapping[str, str] | None = None
) -> Ended:
    """Run it at a terminal of 200 columns; `answers`: what is typed when a text was shown."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tasks", *arguments],
        cwd=ROOT,
        env={**environment, "TERM": "xterm-256color", "COLUMNS": "200", "LINES": "50"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    try:
        shown = _converse(leader, dict(answers or {}))
        return Ended(process.wait(_PATIENCE), shown)
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def _converse(leader: int, answers: dict[str, str]) -> str:
    shown, deadline = b"", time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        ready, _, _ = select.select([leader], [], [], 1)
        if not ready:
            continue
        try:
            data = os.read(leader, 65_536)
        except OSError:  # Linux: the command has closed its side
            break
        if not data:
            break
        shown += data
        for question in [each for each in answers if each.encode() in shown]:
            os.write(leader, f"{answers.pop(question)}\n".encode())
    return shown.decode("utf-8", "replace")

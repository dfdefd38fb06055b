"""Run a program that cannot outlive the process that started it, even one killed by SIGKILL.

    python tether.py PARENT_PID SIGNAL PROGRAM [ARGUMENT]...

A program of its own and not a `preexec_fn`, because Python code between fork and exec may
deadlock when the parent has threads (the Python manual's warning on `preexec_fn`).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys


#: <sys/prctl.h>
_PR_SET_PDEATHSIG = 1


def command(program: list[str], death_signal: signal.Signals = signal.SIGKILL) -> list[str]:
    """Say how to start `program` so that it receives `death_signal` when this process ends.

    Linux only; elsewhere the program is simply started. prctl(2): the signal comes when the
    THREAD that started the program ends, so start it from the main thread.
    """
    me = [sys.executable, "-I", "-S", __file__]
    return [*me, str(os.getpid()), str(int(death_signal)), *program]


def tie(parent: int, death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Have this very process receive `death_signal` when its parent ends; Linux only."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it ended before prctl took effect
        sys.exit(1)


def main(arguments: list[str]) -> None:
    """Tie this process to its parent, then become the program."""
    parent, death_signal, *program = arguments
    tie(int(parent), signal.Signals(int(death_signal)))
    os.execvp(program[0], program)  # noqa: S606 - becoming the program is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])

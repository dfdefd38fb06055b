"""CPU time and memory of the processes of a measurement, by what they are for."""

from __future__ import annotations

from contextlib import suppress

import psutil

from bench.stack import Stack


#: What a server of the stack is, by name; everything else is the application.
_PARTS = {
    "mongod": "database",
    "postgres": "database",
    "broker": "broker",
    "producer": "producer",
    "sink": "sink",
}
APPLICATION = "application"


def part(name: str) -> str:
    """Tell what a server of the stack is for."""
    return _PARTS.get(name, APPLICATION)


def application(running: Stack) -> list[int]:
    """List the process ids of the application, of each process group's leader."""
    return [each.pid for name, each in running.servers.items() if part(name) == APPLICATION]


def cpu(running: Stack) -> dict[str, float]:
    """Tell the CPU seconds of each part so far, ended child processes included."""
    seconds: dict[str, float] = {}
    for name, server in running.servers.items():
        used = sum(_seconds(each) for each in _family(server.pid))
        seconds[part(name)] = seconds.get(part(name), 0.0) + used
    return seconds


def memory(running: Stack) -> int:
    """Tell the resident bytes of the application; pages that processes share count once (PSS)."""
    total = 0
    for leader in application(running):
        for process in _family(leader):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_full_info().pss
    return total


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # from now on it is counted with its parent
    return times.user + times.system + times.children_user + times.children_system

"""What the processes of a test cost."""

from __future__ import annotations

import psutil

from local.processes import Server


def family(server: Server) -> list[psutil.Process]:
    """Give the process and its children."""
    process = psutil.Process(server.pid)
    return [process, *process.children(recursive=True)]


def resident_memory(server: Server) -> int:
    """Give the bytes of memory of the largest."""
    return max(int(process.memory_info().rss) for process in family(server))


def cpu_seconds(server: Server) -> float:
    """Give the seconds of CPU that all of them have used."""
    times = [process.cpu_times() for process in family(server)]
    return float(sum(each.user + each.system for each in times))

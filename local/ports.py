"""TCP ports on 127.0.0.1: the one people expect, or a free one."""

from __future__ import annotations

import random
import socket


LOOPBACK = "127.0.0.1"

#: Below Linux's range for outgoing connections (from 32768), so that no client's connection takes
#: the port between the check and the server's start.
_RANGE = range(20_000, 32_000)
_TRIES = 100


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port now."""
    with socket.socket() as probe:
        # As servers do: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Tell whether somebody listens on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free() -> int:
    """Pick a free port at random; raises RuntimeError when there seems to be none."""
    for port in random.SystemRandom().sample(_RANGE, _TRIES):
        if is_free(port):
            return port
    raise RuntimeError(f"{_TRIES} ports tried between {_RANGE[0]} and {_RANGE[-1]}, none is free")


def preferred(port: int) -> int:
    """Return this port if it is free, else another that is."""
    return port if is_free(port) else free()

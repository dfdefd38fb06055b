"""Host name → addresses, within a time."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time

from config.attachment_hosts import Address
from tasks.errors import Transient


def resolve(host: str, port: int, deadline: float) -> list[Address]:
    """Ask the system, until `deadline` (time.monotonic()).

    Raises Transient, also for an unknown name: the settings allow it, so that somebody has it, and
    its server may be gone for a moment.
    """
    answers: queue.SimpleQueue[list[Address] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_ask(host, port))
        except (OSError, ValueError) as error:  # UnicodeError: a label too long, or empty
            answers.put(error)

    # getaddrinfo knows no time-out and can wait for half a minute: it is left to itself then.
    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=max(deadline - time.monotonic(), 0))
    except queue.Empty:
        raise Transient(f"{host} cannot be resolved: no answer in time") from None
    if isinstance(answer, Exception):
        reason = answer.strerror if isinstance(answer, OSError) else "it is no host name"
        raise Transient(f"{host} cannot be resolved: {reason}") from answer
    return answer


def _ask(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(sockaddr[0])) for *_, sockaddr in found))

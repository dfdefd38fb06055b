"""The least that sends a mail over SMTP: a socket, and commands that are sent together."""

from __future__ import annotations

import socket
from typing import Self


class BareSession:
    """One connection; whatever the server says but 2xx and 3xx ends the measurement."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._expect(b"220 ")
        self._socket.sendall(b"EHLO bench\r\n")
        self._expect(b"250 ")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def submit(self, recipient: str, content: bytes) -> None:
        to = recipient.encode()
        self._socket.sendall(b"MAIL FROM:<bench@example.com>\r\nRCPT TO:<" + to + b">\r\nDATA\r\n")
        self._expect(b"354 ")
        self._socket.sendall(content + b"\r\n.\r\n")
        self._expect(b"250 ")

    def _expect(self, start: bytes) -> None:
        """Read until a whole last line begins so."""
        said = b""
        while not (said.endswith(b"\n") and said.splitlines()[-1].startswith(start)):
            more = self._socket.recv(4096)
            if not more:
                raise ConnectionError(f"the server left; it said {said!r}")
            said += more

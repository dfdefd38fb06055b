"""Faults that mongod makes itself (configureFailPoint), and replies that never arrive."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from typing import Any, Self

from pymongo import MongoClient


@contextlib.contextmanager
def failing(
    client: MongoClient[dict[str, Any]], command: str, *, times: int = 1, **data: Any
) -> Iterator[None]:
    """Let the next `times` commands of that name fail.

    `data`: errorCode, closeConnection (before it runs), writeConcernError (after it ran), appName.
    """
    point: dict[str, Any] = {"configureFailPoint": "failCommand"}
    settings = {"failCommands": [command], **data}
    client.admin.command({**point, "mode": {"times": times}, "data": settings})
    try:
        yield
    finally:
        client.admin.command({**point, "mode": "off"})


class CutReplies:
    """A TCP proxy that hands a command over to the server and closes instead of answering.

    with CutReplies(port, command=b"findAndModify", times=1) as proxy: connect to proxy.port
    """

    def __init__(self, server_port: int, *, command: bytes, times: int) -> None:
        self._server_port = server_port
        self._command = command
        self._left = times
        #: Replies that were withheld.
        self.cut = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            self._sockets += [client, server]
            thread = threading.Thread(target=self._relay, args=(client, server), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        doomed = False
        with client, server, selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for ready, _ in selector.select():
                    source: Any = ready.fileobj
                    data = _receive(source)
                    if source is client and self._left and self._command in data:
                        doomed = True
                        self._left -= 1
                    if source is server and doomed:
                        self.cut += 1
                        return
                    if not data:
                        return
                    ready.data.sendall(data)


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""

"""SmtpTransport: connections to one server, kept open between mails."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator

from config.smtp import SmtpServer
from config.tls import TlsOptions
from tasks.transport.connection import Connection
from tasks.transport.opening import Opener
from tasks.transport.session import SmtpSession


class SmtpTransport:
    """One server for all threads of a process; each session has a connection of its own.

    Nothing is opened before the first session. A process that is forked off begins without any
    connection.
    """

    def __init__(
        self,
        server: SmtpServer,
        tls: TlsOptions,
        *,
        reply_timeout: float,
        idle_seconds: float,
        max_messages: int,
    ) -> None:
        """Make the transport; raises OSError or ssl.SSLError for a bad `ca` in `tls`.

        `reply_timeout`: seconds the server has for each of its replies, but for the last one to a
        mail. `idle_seconds`: a connection unused for longer is closed. `max_messages`: a
        connection that carried so many mails is replaced.
        """
        self.server = server
        self._opener = Opener(server, tls, reply_timeout=reply_timeout)
        self._idle_seconds = idle_seconds
        self._max_messages = max_messages
        self._closed = False
        self._lock = threading.Lock()
        #: When each was last used, and the connection; the longest unused first.
        self._idle: deque[tuple[float, Connection]] = deque()
        _transports.add(self)

    @contextlib.contextmanager
    def session(self, deadline: float, *, anew: bool = False) -> Iterator[SmtpSession]:
        """Take an idle connection, or open one until `deadline` (time.monotonic()).

        `anew`: open one in any case.

        Raises NoConnection when there is none to be had.
        """
        connection = (None if anew else self._idle_connection()) or self._opener.open(deadline)
        session = SmtpSession(connection, self._opener, max_messages=self._max_messages)
        try:
            yield session
        finally:
            self._give_back(session.connection)

    def close(self) -> None:
        """Close the idle connections, and those in use when their sessions end."""
        with self._lock:
            self._closed = True
            connections = [connection for _, connection in self._idle]
            self._idle.clear()
        for connection in connections:
            connection.quit()

    def _idle_connection(self) -> Connection | None:
        """Take the connection used last: the others grow old and go."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                since, connection = self._idle.pop()
            if time.monotonic() - since <= self._idle_seconds and connection.is_alive():
                return connection
            connection.quit()

    def _give_back(self, connection: Connection) -> None:
        now = time.monotonic()
        connection.reused = True
        leaving: list[Connection] = []
        with self._lock:
            while self._idle and now - self._idle[0][0] > self._idle_seconds:
                leaving.append(self._idle.popleft()[1])
            if connection.in_step and not self._closed:
                self._idle.append((now, connection))
            else:
                leaving.append(connection)
        for each in leaving:
            each.quit()

    def _begin_anew(self) -> None:
        """Leave the connections to the process this one was forked from."""
        for _, connection in self._idle:
            connection.close()  # our copy only: theirs goes on
        self._idle.clear()
        self._lock = threading.Lock()  # a thread that is not here may have held it


_transports: weakref.WeakSet[SmtpTransport] = weakref.WeakSet()


def _after_fork() -> None:
    for transport in _transports:
        transport._begin_anew()  # noqa: SLF001 - a part of the class that has to be a function


os.register_at_fork(after_in_child=_after_fork)

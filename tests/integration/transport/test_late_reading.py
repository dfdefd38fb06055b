"""A worker that stood still while the server answered."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme

from tasks.transport.connection import Broken, Connection
from tests.support.application import eventually


_OVER = -1.0
_TIMEOUT = 5.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our end of a connection and the server's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def _connection(sock: socket.socket, seconds: float) -> Connection:
    return Connection(sock, deadline=time.monotonic() + seconds, reply_timeout=_TIMEOUT)


@pytest.mark.parametrize("patient", [True, False])
def test_an_answer_that_is_there_counts(
    pair: tuple[socket.socket, socket.socket], *, patient: bool
) -> None:
    """The time is over, the server's 250 waits in the socket: the mail is sent, not in doubt."""
    ours, theirs = pair
    theirs.sendall(b"250-2.0.0 Ok\r\n250 queued\r\n")

    assert _connection(ours, _OVER).reply(patient=patient).code == 250


def test_half_an_answer_does_not_count(pair: tuple[socket.socket, socket.socket]) -> None:
    """What is not there when the time is over is not waited for."""
    ours, theirs = pair
    theirs.sendall(b"250-2.0.0 Ok\r\n")
    started = time.monotonic()

    with pytest.raises(Broken, match="did not answer in the time there was for this mail"):
        _connection(ours, _OVER).reply(patient=True)

    assert time.monotonic() - started < _TIMEOUT / 2


def test_the_same_under_tls(
    pair: tuple[socket.socket, socket.socket],
    authority: trustme.CA,
    certified: Callable[[str], ssl.SSLContext],
) -> None:
    """Where nothing is there, OpenSSL says so in another way."""
    ours, theirs = pair
    client = ssl.create_default_context()
    authority.configure_trust(client)
    with (
        ThreadPoolExecutor() as pool,
        contextlib.closing(_connection(ours, _TIMEOUT)) as connection,
    ):
        served = pool.submit(certified("localhost").wrap_socket, theirs, server_side=True)
        connection.encrypt(client, "localhost")
        with served.result() as server:
            connection.deadline = time.monotonic() + _OVER
            with pytest.raises(Broken, match="did not answer in the time there was"):
                connection.reply(patient=True)

            server.sendall(b"250 2.0.0 Ok\r\n")

            eventually("it arrives", lambda: _code(connection) == 250, _TIMEOUT)


def _code(connection: Connection) -> int | None:
    with contextlib.suppress(Broken):
        return connection.reply(patient=True).code
    return None

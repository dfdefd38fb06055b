"""Connections kept between mails."""

from __future__ import annotations

import os
import threading
import time
import warnings

import psutil
import pytest

from tasks.errors import Transient
from tasks.transport import SmtpTransport
from tests.support.sink import Script, Sink
from tests.support.smtp import BOTH, a_mail, send, transport_to


def _open_sockets(sink: Sink) -> int:
    """Count this process's connections to the sink."""
    return sum(
        1
        for connection in psutil.Process().net_connections("tcp")
        if connection.raddr and connection.raddr.port == sink.port
    )


def test_lazy(sink: Sink, transport: SmtpTransport) -> None:
    """A transport that was not used has opened nothing."""
    assert sink.counts["connect"] == 0
    send(transport)
    assert sink.counts["connect"] == 1


def test_reused(sink: Sink, transport: SmtpTransport) -> None:
    """One session after another uses the same connection."""
    for _ in range(5):
        send(transport)

    assert (len(sink.messages), sink.counts["connect"], sink.counts["EHLO"]) == (5, 1, 1)


def test_threads(sink: Sink, transport: SmtpTransport) -> None:
    """Threads send side by side, each over its own connection; every mail arrives once."""
    meet = threading.Barrier(8)

    def work(thread: int) -> None:
        meet.wait(10)
        for number in range(25):
            send(transport, a_mail(f"Subject: {thread}-{number}\r\n\r\n".encode()))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    contents = [message.content for message in sink.messages]
    assert len(contents) == len(set(contents)) == 200
    assert sink.counts["connect"] <= 8


def test_two_sessions_at_once(sink: Sink, transport: SmtpTransport) -> None:
    """Sessions that overlap never share a connection."""
    deadline = time.monotonic() + 10
    with transport.session(deadline) as one, transport.session(deadline) as other:
        one.submit(a_mail(), deadline=deadline)
        other.submit(a_mail(), deadline=deadline)

        assert one.connection is not other.connection
    assert sink.counts["connect"] == 2


def test_worn(sink: Sink) -> None:
    """After `max_messages` a connection is left with QUIT, between sessions and within one."""
    deadline = time.monotonic() + 10
    with transport_to(sink.uri, max_messages=2) as transport:
        for _ in range(3):
            send(transport)
        with transport.session(deadline) as session:
            for _ in range(4):
                session.submit(a_mail(), deadline=deadline)
        sink.wait_until(lambda sink: sink.counts["QUIT"] == 3)

    assert (len(sink.messages), sink.counts["connect"]) == (7, 4)


def test_idle_too_long(sink: Sink) -> None:
    """A connection that was idle for longer than `idle_seconds` is left with QUIT."""
    with transport_to(sink.uri, idle_seconds=0) as transport:
        send(transport)
        send(transport)
        sink.wait_until(lambda sink: sink.counts["QUIT"] == 1)

    assert sink.counts["connect"] == 2


def test_old_ones_leave(sink: Sink) -> None:
    """Connections of a rush are closed when it is over, although one stays in use."""
    deadline = time.monotonic() + 10
    with transport_to(sink.uri, idle_seconds=0.3, max_messages=10**6) as transport:
        with transport.session(deadline), transport.session(deadline):
            pass
        while sink.counts["QUIT"] == 0:
            assert time.monotonic() < deadline
            send(transport)

    assert sink.counts["connect"] == 2


def test_dropped_while_idle(sink: Sink, transport: SmtpTransport) -> None:
    """A connection that the server dropped while it was idle costs no mail."""
    for goodbye in (None, "421 4.4.2 Idle for too long"):
        send(transport)
        sink.disconnect(goodbye)

        assert send(transport).accepted == BOTH

    assert sink.counts["connect"] == 3


def test_session_is_a_connection(sink: Sink, transport: SmtpTransport) -> None:
    """Whoever gets a session has a connection that was alive a moment ago."""
    send(transport)
    sink.script = Script(connect="refuse")
    sink.disconnect()
    sink.wait_until(lambda sink: sink.connections == 0)

    with (
        pytest.raises(Transient, match="cannot be reached"),
        transport.session(time.monotonic() + 10),
    ):
        pytest.fail("a session without a connection")


def test_restarted_while_idle(sink: Sink, transport: SmtpTransport) -> None:
    """All idle connections may be dead at once: a restarted server fails no mail."""
    deadline = time.monotonic() + 10
    with transport.session(deadline), transport.session(deadline), transport.session(deadline):
        pass
    sink.disconnect()

    for _ in range(5):
        assert send(transport).accepted == BOTH


def test_closed(sink: Sink) -> None:
    """`close` says QUIT on idle connections; one in use closes when its session ends."""
    deadline = time.monotonic() + 10
    with transport_to(sink.uri) as transport:
        with transport.session(deadline) as session:
            with transport.session(deadline):
                pass
            transport.close()
            sink.wait_until(lambda sink: sink.counts["QUIT"] == 1)
            session.submit(a_mail(), deadline=deadline)
        sink.wait_until(lambda sink: sink.counts["QUIT"] == 2)

    assert _open_sockets(sink) == 0


def test_nothing_left_open(sink: Sink, transport: SmtpTransport) -> None:
    """Whatever failed, its connection is closed."""
    for stage in ("connect", "ehlo", "mail", "data"):
        for fault in ("drop", "554 No", "421 No"):
            sink.script = Script().at(stage, fault)
            try:
                send(transport)
            except Exception as error:  # noqa: BLE001 - other tests say which
                del error
            sink.script = Script()
            assert _idle(transport) == _open_sockets(sink)


def _idle(transport: SmtpTransport) -> int:
    return len(transport._idle)


def test_fork(sink: Sink, transport: SmtpTransport) -> None:
    """A forked process opens its own connection, and the parent's goes on."""
    send(transport)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # since 3.12, when there are threads
        child = os.fork()
    if child == 0:
        status = 1
        try:
            if _idle(transport) == 0 and send(transport).accepted == BOTH:
                status = 0
            transport.close()
        finally:
            os._exit(status)

    assert os.waitpid(child, 0)[1] == 0
    assert send(transport).accepted == BOTH
    assert (len(sink.messages), sink.counts["connect"]) == (3, 2)

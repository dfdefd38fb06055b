"""No server can hold a mail longer than its deadline."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tasks.errors import Transient, UnknownOutcome
from tasks.transport import SmtpTransport
from tests.support.sink import Script, Sink
from tests.support.smtp import BOTH, a_mail, send, transport_to


#: What a loaded machine may add to a wait, in seconds.
_SLACK = 1.0


@contextmanager
def _takes(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert seconds * 0.9 <= time.monotonic() - started < seconds + _SLACK


@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data"])
def test_hanging(sink: Sink, transport: SmtpTransport, stage: str) -> None:
    """A server that hangs before the content ends the attempt: nothing was sent."""
    sink.script = Script().at(stage, "hang")

    with _takes(0.2), pytest.raises(Transient, match="in the time there was"):
        send(transport, seconds=0.2)


def test_hanging_within_content(sink: Sink, transport: SmtpTransport) -> None:
    """A server that stops to read the content ends the attempt: nothing was sent."""
    sink.script = Script(content="stall")

    with _takes(1.5), pytest.raises(Transient, match="before it had the whole message"):
        send(transport, a_mail(b"x" * 20_000_000), seconds=1.5)


def test_hanging_at_the_end(sink: Sink, transport: SmtpTransport) -> None:
    """A server that hangs after the content leaves the mail in doubt."""
    sink.script = Script(after_data="hang")

    with _takes(0.2), pytest.raises(UnknownOutcome, match="in the time there was"):
        send(transport, seconds=0.2)


@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "data"])
def test_trickling(sink: Sink, transport: SmtpTransport, stage: str) -> None:
    """A server that sends a byte now and then cannot outlive the deadline."""
    sink.script = Script(trickle=0.02).at(stage, "250 " + "x" * 1000)

    with _takes(0.3), pytest.raises(Transient):
        send(transport, seconds=0.3)


def test_trickling_at_the_end(sink: Sink, transport: SmtpTransport) -> None:
    """The same after the content, where it leaves the mail in doubt."""

    def answer() -> str:
        sink.script = Script(trickle=0.02)
        return "250 " + "x" * 1000

    sink.script = Script(after_data=answer)

    with _takes(0.3), pytest.raises(UnknownOutcome):
        send(transport, seconds=0.3)


def test_reply_timeout(sink: Sink) -> None:
    """A reply must arrive, as a whole, within the reply timeout."""

    def answer() -> str:
        sink.script = Script(trickle=0.02)
        return "250 " + "x" * 1000

    sink.script = Script(mail=answer)

    with (
        transport_to(sink.uri, reply_timeout=0.2) as transport,
        pytest.raises(Transient, match=r"did not answer within 0.2 s"),
    ):
        send(transport, seconds=30)


def test_slow_verdict(sink: Sink) -> None:
    """The answer to the content may take longer than other replies: up to the deadline."""
    with transport_to(sink.uri, reply_timeout=0.3) as transport:
        send(transport)
        sink.script = Script(after_data=lambda: _after(0.6, sink))

        assert send(transport, seconds=10).accepted == BOTH


def _after(seconds: float, sink: Sink) -> None:
    sink.stopped.wait(seconds)


def test_hanging_connect() -> None:
    """A server that does not take connections ends the attempt at the deadline."""
    # A full backlog: Linux then drops SYN packets, as a firewall does.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with (
            socket.create_connection(address),
            transport_to(f"smtp://127.0.0.1:{address[1]}") as transport,
            _takes(0.2),
            pytest.raises(Transient, match="cannot be reached: no answer in time"),
        ):
            send(transport, seconds=0.2)


def test_hanging_address(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that does not answer leaves time for the host's next one."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        hanging = listener.getsockname()
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", address)
            for address in (hanging, ("127.0.0.1", sink.port))
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with (
            socket.socket() as first,
            transport_to("smtp://two.example") as transport,
            _takes(0.3),
        ):
            first.connect(hanging)

            assert send(transport, seconds=0.6).accepted == BOTH


def test_passed_already(sink: Sink, transport: SmtpTransport) -> None:
    """After the deadline nothing begins, on a new connection or an old one."""
    with pytest.raises(Transient):
        send(transport, seconds=-1)
    assert sink.counts["connect"] == 0

    deadline = time.monotonic() + 10
    with transport.session(deadline) as session, pytest.raises(Transient):
        session.submit(a_mail(), deadline=time.monotonic() - 1)
    assert sink.messages == []


def test_next_mail_has_its_own(sink: Sink, transport: SmtpTransport) -> None:
    """A connection made for one mail's deadline serves the next until that one's."""
    send(transport, seconds=0.3)
    sink.script = Script(delay=0.25)  # two round trips: longer than the first mail had

    assert send(transport, seconds=10).accepted == BOTH
    assert sink.counts["connect"] == 1


def test_other_addresses(sink: Sink) -> None:
    """`localhost` may mean ::1 first: the next address is tried."""
    with transport_to(f"smtp://localhost:{sink.port}") as transport:
        assert send(transport).accepted == BOTH


def test_unknown_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that no name server knows is named in the error."""

    def unknown(*_: object, **__: object) -> None:  # no test can rely on a name server
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with (
        transport_to("smtp://nowhere.example") as transport,
        pytest.raises(Transient, match=r"nowhere\.example:587 cannot be reached: name or service"),
    ):
        send(transport)

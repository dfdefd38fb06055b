"""The server fails: what is certain about the mail, and what is not."""

from __future__ import annotations

import socket
import time

import pytest

from tasks.errors import NoConnection, Transient, UnknownOutcome
from tasks.transport import SmtpTransport, opening
from tests.support.sink import Script, Sink, first
from tests.support.smtp import BOTH, a_mail, send, transport_to


_FAULTS = ["drop", "reset", "hang", "hello", "421 4.3.2 Closing"]
_LARGE = b"Subject: x\r\n\r\n" + (b"x" * 76 + b"\r\n") * 200_000


@pytest.mark.parametrize("fault", _FAULTS)
@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data"])
@pytest.mark.parametrize("gate", [False, True], ids=["at once", "with gate"])
def test_before_content(sink: Sink, stage: str, fault: str, *, gate: bool) -> None:
    """Whatever happens before the content: nothing was sent, and the error says so."""
    sink.script = Script().at(stage, fault)

    with (
        transport_to(sink.uri, reply_timeout=0.1) as transport,
        pytest.raises(
            Transient, match=rf"^127.0.0.1:{sink.port} .*(nothing was sent|cannot be .*)$"
        ) as caught,
    ):
        send(transport, before_data=(lambda: True) if gate else None)

    assert sink.messages == []
    opening_failed = stage in ("connect", "ehlo")
    assert isinstance(caught.value, NoConnection) == opening_failed
    assert caught.value.throttled == (not opening_failed and fault.startswith("421"))


@pytest.mark.parametrize("fault", ["drop", "reset", "stall"])
def test_within_content(sink: Sink, fault: str) -> None:
    """A server that leaves in the middle of the content cannot have the mail."""
    sink.script = Script(content=fault)

    with (
        transport_to(sink.uri, reply_timeout=0.1) as transport,
        pytest.raises(Transient, match="before it had the whole message; nothing was sent"),
    ):
        send(transport, a_mail(_LARGE))


@pytest.mark.parametrize("fault", ["drop", "reset", "hang", "hello", "354 Go ahead"])
@pytest.mark.parametrize("gate", [False, True], ids=["at once", "with gate"])
def test_after_content(sink: Sink, transport: SmtpTransport, fault: str, *, gate: bool) -> None:
    """A server that has everything and does not answer may have sent the mail: nobody knows."""
    sink.script = Script(after_data=fault)

    with pytest.raises(UnknownOutcome, match="after it had the whole message: it may have sent it"):
        send(transport, before_data=(lambda: True) if gate else None, seconds=0.3)

    sink.script = Script()
    assert send(transport).accepted == BOTH
    assert sink.counts["connect"] == 2


def test_closing_after_content(sink: Sink, transport: SmtpTransport) -> None:
    """421 after the content is a refusal for now; the next mail gets a new connection."""
    sink.script = Script(after_data="421 4.3.2 Closing")

    outcome = send(transport)

    assert outcome.pending == outcome.throttled == BOTH
    assert outcome.response == "421 4.3.2 Closing"
    assert not transport._idle
    sink.script = Script()
    assert send(transport).accepted == BOTH
    assert sink.counts["connect"] == 2


def test_reply_too_many(sink: Sink, transport: SmtpTransport) -> None:
    """A reply nobody asked for must not be taken for the answer to the content."""
    sink.script = Script(data="354 Go ahead\r\n250 Ok", after_data="550 No")

    with pytest.raises(Transient, match="not asked for"):
        send(transport)

    assert sink.messages == []


def test_goodbye_behind_the_answer(sink: Sink, transport: SmtpTransport) -> None:
    """A server may say goodbye right behind its answer: the mail is sent, the next one too."""
    sink.script = Script(after_data="250 Ok\r\n421 4.7.0 Too many mails")
    assert send(transport).accepted == BOTH

    sink.script = Script()
    assert send(transport).accepted == BOTH

    assert sink.counts["connect"] == 2


def test_reset_refused(sink: Sink, transport: SmtpTransport) -> None:
    """A connection whose refused transaction cannot be reset is replaced."""
    sink.script = Script(rcpt="550 5.1.1 No such user")
    send(transport)
    sink.script = Script(rset="500 5.5.2 What?")

    assert send(transport).accepted == BOTH

    assert sink.counts["connect"] == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("250 " + "x" * 5000, "a line of more than 2048 bytes"),
        ("250-x\r\n" * 100 + "250 x", "a reply of more than 64 lines"),
    ],
)
def test_endless_replies(sink: Sink, transport: SmtpTransport, answer: str, words: str) -> None:
    """A reply that does not end is not read to its end."""
    sink.script = Script(mail=answer)

    with pytest.raises(Transient, match=words):
        send(transport)


def test_words_of_the_server(sink: Sink, transport: SmtpTransport) -> None:
    """The error carries what the server said, as text and as fields."""
    sink.script = Script(connect="554-5.7.1 Blocked.\r\n554 See https://x.example")

    with pytest.raises(NoConnection) as caught:
        send(transport)

    words = "554 5.7.1 Blocked. See https://x.example"
    assert str(caught.value) == f"127.0.0.1:{sink.port} refused the connection: {words}"
    assert (caught.value.code, caught.value.response) == (554, words)


def test_refused(sink: Sink, transport: SmtpTransport) -> None:
    """Where nobody listens, the error says so; when somebody does again, mail goes out."""
    sink.script = Script(connect="refuse")

    with pytest.raises(Transient, match="cannot be reached: connection refused"):
        send(transport)

    sink.script = Script()
    assert send(transport).accepted == BOTH


def test_no_ehlo(sink: Sink, transport: SmtpTransport) -> None:
    """A server without EHLO is greeted by HELO, and asked for no extension."""
    sink.script = Script(ehlo="502 5.5.2 Not implemented")

    assert send(transport).accepted == BOTH

    assert [command.split()[0] for command in sink.commands][:3] == ["EHLO", "HELO", "MAIL"]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("mail.example.com", "mail.example.com"),
        ("localhost", "[127.0.0.1]"),
        ("not_a_domain.example", "[127.0.0.1]"),
    ],
)
def test_own_name(
    sink: Sink, transport: SmtpTransport, monkeypatch: pytest.MonkeyPatch, host: str, name: str
) -> None:
    """We greet by the machine's full name, or by its address when it has none (RFC 5321 4.1.4)."""
    monkeypatch.setattr(socket, "gethostname", lambda: host)

    send(transport)

    assert sink.commands[0] == f"EHLO {name}"


def test_smtps_port(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence on the port of smtps:// is explained."""
    monkeypatch.setattr(opening, "_SMTPS_PORT", sink.port)
    sink.script = Script(connect="hang")

    with (
        transport_to(sink.uri, reply_timeout=0.1) as transport,
        pytest.raises(Transient, match="port 465 usually wants smtps://"),
    ):
        send(transport)


def test_refused_name(sink: Sink) -> None:
    """The name for EHLO can be set, and a refusal shows it."""
    sink.script = Script(ehlo="550 Bad name", helo="550 Bad name")

    with (
        transport_to(f"{sink.uri}?name=client.example") as transport,
        pytest.raises(Transient, match=r"refused our name client.example: 550 Bad name"),
    ):
        send(transport)

    assert list(sink.commands) == ["EHLO client.example", "HELO client.example"]


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", ["drop", "reset", "421 4.3.2 Closing", "hello"])
@pytest.mark.parametrize("gate", [False, True], ids=["at once", "with gate"])
def test_stale(sink: Sink, transport: SmtpTransport, stage: str, fault: str, *, gate: bool) -> None:
    """A connection that was good before and fails before the content is replaced, once."""
    send(transport)
    sink.script = Script().at(stage, first(1, fault))
    asked: list[int] = []

    def before_data() -> bool:
        asked.append(1)
        return True

    assert send(transport, before_data=before_data if gate else None).accepted == BOTH

    assert len(sink.messages) == 2
    assert sink.counts["connect"] == 2
    assert len(asked) == (1 if gate else 0)


def test_stale_without_a_mail(sink: Sink, transport: SmtpTransport) -> None:
    """A connection that was idle is an old one, even when it has not carried a mail yet."""
    with transport.session(time.monotonic() + 10):
        pass
    sink.script = Script(mail=first(1, "drop"))

    assert send(transport).accepted == BOTH


def test_stale_and_gone(sink: Sink, transport: SmtpTransport) -> None:
    """When the new connection fails as well, the mail fails."""
    send(transport)
    sink.script = Script(mail="drop")

    with pytest.raises(Transient, match="closed the connection"):
        send(transport)

    assert sink.counts["connect"] == 2


@pytest.mark.parametrize("goodbye", [None, "421 4.4.2 Idle for too long"])
def test_dropped_between_mails(sink: Sink, transport: SmtpTransport, goodbye: str | None) -> None:
    """A server may drop the connection between two mails of one session: both go out."""
    deadline = time.monotonic() + 10
    with transport.session(deadline) as session:
        session.submit(a_mail(), deadline=deadline)
        sink.disconnect(goodbye)

        assert session.submit(a_mail(), deadline=deadline).accepted == BOTH
        assert session.submit(a_mail(), deadline=deadline).accepted == BOTH

    assert len(sink.messages) == 3
    assert sink.counts["connect"] == 2


def test_stale_until_the_deadline(sink: Sink, transport: SmtpTransport) -> None:
    """When an old connection took all the time there was, the error is about that one."""
    send(transport)
    sink.script = Script(mail="hang")

    with pytest.raises(Transient, match=r"in the time there was for this mail \(MAIL, RCPT\)"):
        send(transport, seconds=0.2)


def test_no_quit_out_of_step(sink: Sink, transport: SmtpTransport) -> None:
    """A connection that is out of step is closed without QUIT, which might be taken for content."""
    sink.script = Script(mail="hello")

    with pytest.raises(Transient, match="not SMTP: 'hello'"):
        send(transport)

    sink.wait_until(lambda sink: sink.connections == 0)
    assert sink.counts["QUIT"] == 0


def test_session_goes_on(sink: Sink, transport: SmtpTransport) -> None:
    """After a mail that broke its connection, a session sends the next over another."""
    deadline = time.monotonic() + 10
    sink.script = Script(after_data=first(1, "drop"))
    with transport.session(deadline) as session:
        with pytest.raises(UnknownOutcome):
            session.submit(a_mail(), deadline=deadline)

        assert session.submit(a_mail(), deadline=deadline).accepted == BOTH

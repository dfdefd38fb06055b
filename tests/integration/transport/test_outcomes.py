"""What the server says about a mail and its recipients, and what the outcome says then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tasks.envelope import Rejection
from tasks.errors import Permanent, Transient
from tasks.outcome import Outcome
from tasks.transport import SmtpTransport, Withdrawn
from tests.support.sink import Message, Script, Sink
from tests.support.smtp import BOTH, SENDER, a_mail, send


_PIPELINING = pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["pipelined", "not"])
_GATE = pytest.mark.parametrize("before_data", [None, lambda: True], ids=["at once", "with gate"])
Extensions = tuple[str, ...]
Gate = Callable[[], bool] | None

_QUEUED = "250 2.0.0 Ok: queued as 4D1F2"


def _refused(reply: str, *recipients: str) -> tuple[Rejection, ...]:
    return tuple(Rejection(each, int(reply[:3]), reply) for each in recipients)


@_GATE
@_PIPELINING
def test_accepted(
    sink: Sink, transport: SmtpTransport, extensions: Extensions, before_data: Gate
) -> None:
    """The server gets the sender, the recipients and the content, byte for byte."""
    sink.script = Script(extensions=extensions)
    content = b"Subject: x\r\n\r\n.\r\n..\r\n.hidden\r\n\r\nx.\r\n"

    outcome = send(transport, a_mail(content), before_data=before_data)

    assert outcome == Outcome(BOTH, response=_QUEUED)
    assert sink.messages == [Message(SENDER, BOTH, content)]


@_GATE
@_PIPELINING
def test_some_refused(
    sink: Sink, transport: SmtpTransport, extensions: Extensions, before_data: Gate
) -> None:
    """One recipient's refusal is its own: the others get their mail."""
    later, never = "450 4.2.0 Greylisted", "550 5.1.1 No such user"
    to = ("a@x", "later@x", "b@x", "never@x")
    sink.script = Script(rcpt={"later@x": later, "never@x": never}, extensions=extensions)
    invalid = Rejection("invalid", None, "is not an address")

    outcome = send(transport, replace(a_mail(to=to), rejected=(invalid,)), before_data=before_data)

    assert outcome == Outcome(
        accepted=("a@x", "b@x"),
        rejected=("invalid", "never@x"),
        pending=("later@x",),
        errors=(
            invalid,
            *_refused(later, "later@x"),
            Rejection("never@x", 550, never, hard_bounce=True),
        ),
        response=_QUEUED,
    )
    assert sink.messages[0].recipients == ("a@x", "b@x")


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "after_data"])
@_GATE
@_PIPELINING
def test_refused_for_good(
    sink: Sink, transport: SmtpTransport, extensions: Extensions, before_data: Gate, stage: str
) -> None:
    """A 5xx at any stage refuses all recipients; the next mail uses the same connection."""
    reply = "550 5.7.1 No"
    sink.script = Script(extensions=extensions).at(stage, reply)

    outcome = send(transport, before_data=before_data)

    assert outcome == Outcome((), rejected=BOTH, errors=_refused(reply, *BOTH), response=reply)
    _the_next_goes_out(sink, transport, extensions)


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "after_data"])
@_GATE
@_PIPELINING
def test_refused_for_now(
    sink: Sink, transport: SmtpTransport, extensions: Extensions, before_data: Gate, stage: str
) -> None:
    """A 4xx at any stage leaves all recipients pending."""
    reply = "451 4.3.0 Try later"
    sink.script = Script(extensions=extensions).at(stage, reply)

    outcome = send(transport, before_data=before_data)

    assert outcome == Outcome((), pending=BOTH, errors=_refused(reply, *BOTH), response=reply)
    _the_next_goes_out(sink, transport, extensions)


def _the_next_goes_out(sink: Sink, transport: SmtpTransport, extensions: Extensions) -> None:
    sink.script = Script(extensions=extensions)
    assert send(transport).accepted == BOTH
    assert len(sink.messages) == 1
    assert sink.counts["connect"] == 1


def test_refused_but_go_ahead(sink: Sink, transport: SmtpTransport) -> None:
    """A 354 though no recipient was taken is answered by a lone dot (RFC 2920 3.1)."""
    sink.script = Script(rcpt="550 5.1.1 No such user", data="354 Go ahead")

    outcome = send(transport)

    assert outcome.rejected == BOTH
    assert outcome.response == "550 5.1.1 No such user"
    _the_next_goes_out(sink, transport, ("PIPELINING",))
    assert sink.counts["RSET"] == 0  # the dot ended the transaction


def test_recipients_without_a_sender(sink: Sink, transport: SmtpTransport) -> None:
    """A server that refuses the sender and then asks for the content gets none, not even a dot."""
    sink.script = Script(mail="550 5.7.1 No", rcpt="250 Ok")

    assert send(transport).rejected == BOTH

    sink.script = Script()
    assert send(transport).accepted == BOTH
    assert len(sink.messages) == 1
    assert sink.counts["connect"] == 2


def test_reset_before_the_next(sink: Sink, transport: SmtpTransport) -> None:
    """RSET after a refusal is written with the next MAIL, and costs no round trip."""
    sink.script = Script(rcpt="550 5.1.1 No such user")
    send(transport)
    sink.script = Script()
    sink.commands.clear()
    before = sink.counts["round trip"]

    send(transport)

    assert [command.split()[0] for command in sink.commands] == [
        *("RSET", "MAIL", "RCPT", "RCPT", "DATA")
    ]
    assert sink.counts["round trip"] - before == 2


def test_round_trips(sink: Sink, transport: SmtpTransport) -> None:
    """With PIPELINING a mail takes two round trips: envelope and content."""
    send(transport)
    before = sink.counts["round trip"]

    send(transport)

    assert sink.counts["round trip"] - before == 2


@_GATE
def test_many_recipients(sink: Sink, transport: SmtpTransport, before_data: Gate) -> None:
    """Recipients are given in groups, so that neither side's buffers fill up."""
    to = tuple(f"{number}@example.com" for number in range(1050))
    sink.script = Script(rcpt={"7@example.com": "550 No", "777@example.com": "550 No"})

    outcome = send(transport, a_mail(to=to), before_data=before_data)

    assert outcome.rejected == ("7@example.com", "777@example.com")
    assert sink.messages[0].recipients == outcome.accepted
    assert len(outcome.accepted) == 1048


def test_many_recipients_of_a_refused_sender(sink: Sink, transport: SmtpTransport) -> None:
    """When the sender is refused, the groups after the first are not sent."""
    to = tuple(f"{number}@example.com" for number in range(1050))
    sink.script = Script(mail="550 No")

    assert send(transport, a_mail(to=to)).rejected == to

    assert sink.counts["RCPT"] < 100
    assert sink.counts["DATA"] == 0


@_PIPELINING
def test_withdrawn(sink: Sink, transport: SmtpTransport, extensions: Extensions) -> None:
    """When `before_data` says no, the server gets no DATA, and the next mail goes out."""
    sink.script = Script(extensions=extensions)

    with pytest.raises(Withdrawn):
        send(transport, before_data=lambda: False)

    assert sink.counts["DATA"] == 0
    _the_next_goes_out(sink, transport, extensions)


def test_before_data_fails(sink: Sink, transport: SmtpTransport) -> None:
    """What `before_data` raises comes through, nothing is sent, and the next mail goes out."""

    def fail() -> bool:
        raise LookupError

    with pytest.raises(LookupError):
        send(transport, before_data=fail)

    assert sink.counts["DATA"] == 0
    _the_next_goes_out(sink, transport, ("PIPELINING",))


def test_before_data_not_asked(sink: Sink, transport: SmtpTransport) -> None:
    """`before_data` is not asked when nobody would get the mail."""
    sink.script = Script(rcpt="550 5.1.1 No such user")

    def before_data() -> bool:
        pytest.fail("asked")

    assert send(transport, before_data=before_data).rejected == BOTH


def test_nobody_left(sink: Sink, transport: SmtpTransport) -> None:
    """A mail none of whose recipients can be named to the server is refused without a word."""
    sink.script = Script(extensions=("8BITMIME",))
    mail = replace(a_mail(to=("ü@example.com",)), smtputf8=True)

    outcome = send(transport, mail)

    assert outcome.accepted == ()
    assert outcome.rejected == ("ü@example.com",)
    assert "does not offer SMTPUTF8" in outcome.errors[0].response
    assert sink.counts["MAIL"] == 0


def test_too_large(sink: Sink, transport: SmtpTransport) -> None:
    """A mail above the announced SIZE is refused here; the connection stays good."""
    sink.script = Script(extensions=("SIZE 1000",))

    with pytest.raises(Permanent, match=rf"1014 bytes .* 1000 bytes 127.0.0.1:{sink.port} accepts"):
        send(transport, a_mail(b"Subject: x\r\n\r\n" + b"x" * 998 + b"\r\n"))

    assert sink.counts["MAIL"] == 0
    _the_next_goes_out(sink, transport, ("SIZE 1000",))


def test_parameters(sink: Sink, transport: SmtpTransport) -> None:
    """SIZE, BODY and SMTPUTF8 are said to a server that knows them."""
    sink.script = Script(extensions=("SIZE", "8BITMIME", "SMTPUTF8"))
    content = "Subject: ü\r\n\r\n".encode()
    mail = replace(a_mail(content), has_8bit=True, smtputf8=True, recipients=("ü@example.com",))

    send(transport, mail)

    assert "MAIL FROM:<sender@example.com> SIZE=15 BODY=8BITMIME SMTPUTF8" in sink.commands
    assert sink.messages == [Message(SENDER, ("ü@example.com",), content)]


def test_large(sink: Sink, transport: SmtpTransport) -> None:
    """A mail of some megabytes arrives whole."""
    content = b"Subject: x\r\n\r\n" + (b"." * 76 + b"\r\n") * 100_000

    send(transport, a_mail(content))

    assert sink.messages[0].content == content


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@_GATE
def test_out_of_place(sink: Sink, transport: SmtpTransport, before_data: Gate, stage: str) -> None:
    """An answer that makes no sense is no answer: nothing is sent, the connection is given up."""
    answers = {"mail": "354 Go ahead", "rcpt": "334 Go on", "data": "250 Ok"}
    sink.script = Script().at(stage, answers[stage])

    with pytest.raises(Transient, match=r"does not belong here: .* nothing was sent"):
        send(transport, before_data=before_data)

    assert sink.messages == []

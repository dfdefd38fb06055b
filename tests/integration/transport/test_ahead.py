"""The next mail's envelope behind a mail's content: one round trip a mail, and nothing twice."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import pytest

from tasks.envelope import Mail
from tasks.errors import MailError, UnknownOutcome
from tasks.outcome import Outcome
from tasks.transport import SmtpTransport
from tests.support.sink import Script, Sink, first
from tests.support.smtp import a_mail, transport_to


def mails(count: int) -> list[Mail]:
    """Make mails, each to a recipient of its own."""
    return [a_mail(to=(f"r{number}@example.com",)) for number in range(count)]


def send_in_a_row(
    transport: SmtpTransport, row: Sequence[Mail], seconds: float = 10
) -> list[Outcome | MailError]:
    """Send them in one session, each with the next one announced; a failure does not end it."""
    deadline = time.monotonic() + seconds
    answers: list[Outcome | MailError] = []
    with transport.session(deadline) as session:
        for mail, following in zip(row, [*row[1:], None], strict=True):
            try:
                answers.append(session.submit(mail, deadline=deadline, following=following))
            except MailError as error:
                answers.append(error)
    return answers


def taken(sink: Sink) -> list[str]:
    """List the recipients of the mails the server took, in order."""
    return [recipient for message in sink.messages for recipient in message.recipients]


def accepted(answers: Sequence[Outcome | MailError]) -> list[str]:
    """List the recipients of which the server said that it took the mail."""
    outcomes = [answer for answer in answers if isinstance(answer, Outcome)]
    return [recipient for outcome in outcomes for recipient in outcome.accepted]


def test_one_round_trip_a_mail(sink: Sink) -> None:
    """Greeting, EHLO and the first envelope, then one for each content."""
    with transport_to(sink.uri) as transport:
        answers = send_in_a_row(transport, mails(20))

    assert accepted(answers) == [f"r{number}@example.com" for number in range(20)]
    assert sink.counts["connect"] == 1
    assert sink.counts["round trip"] <= 20 + 3 + 1


def test_without_pipelining_nothing_is_said_ahead(sink: Sink) -> None:
    """The server has to offer it."""
    sink.script = Script(extensions=("8BITMIME",))
    with transport_to(sink.uri) as transport:
        answers = send_in_a_row(transport, mails(3))

    assert accepted(answers) == taken(sink)
    assert sink.counts["round trip"] >= 3 * 4


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "after_data"])
@pytest.mark.parametrize("reply", ["450 4.2.0 later", "550 5.0.0 never"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_refusal_concerns_its_own_mail(sink: Sink, stage: str, reply: str, which: int) -> None:
    """At every stage, of the first, a middle and the last mail: the others are sent, once."""
    calls = iter(range(100))
    sink.script = Script().at(stage, lambda: reply if next(calls) == which else None)
    with transport_to(sink.uri) as transport:
        answers = send_in_a_row(transport, mails(4))

    expected = [f"r{number}@example.com" for number in range(4) if number != which]
    assert accepted(answers) == taken(sink) == expected
    refused = answers[which]
    assert isinstance(refused, Outcome)
    assert (*refused.pending, *refused.rejected) == (f"r{which}@example.com",)


@pytest.mark.parametrize(
    ("stage", "fault"),
    [
        *itertools.product(["mail", "rcpt", "data"], ["drop", "reset", "421 4.3.0 bye"]),
        *itertools.product(["content"], ["drop", "reset"]),
    ],
)
def test_a_connection_that_breaks_at_the_next_envelope_costs_nothing(
    sink: Sink, stage: str, fault: str
) -> None:
    """The envelope that went ahead is said again on a new connection."""
    calls = iter(range(100))
    sink.script = Script().at(stage, lambda: fault if next(calls) == 1 else None)
    with transport_to(sink.uri) as transport:
        answers = send_in_a_row(transport, mails(4))

    everybody = [f"r{number}@example.com" for number in range(4)]
    lost = [number for number, answer in enumerate(answers) if isinstance(answer, MailError)]
    # Once the content was begun, the failure is that mail's own.
    assert lost == ([1] if stage == "content" else [])
    expected = [each for number, each in enumerate(everybody) if number not in lost]
    assert accepted(answers) == taken(sink) == expected


@pytest.mark.parametrize("fault", ["drop", "reset", "hang"])
def test_a_mail_in_doubt_leaves_the_next_one_out_of_it(sink: Sink, fault: str) -> None:
    """No reply to the first content: that one is in doubt, the next is sent once, elsewhere."""
    sink.script = Script(after_data=first(1, fault))
    with transport_to(sink.uri, reply_timeout=0.3) as transport:
        answers = [
            *send_in_a_row(transport, mails(2), seconds=0.6),
            *send_in_a_row(transport, mails(3)[2:]),
        ]

    assert isinstance(answers[0], UnknownOutcome)
    assert taken(sink).count("r1@example.com") == (1 if isinstance(answers[1], Outcome) else 0)
    assert taken(sink).count("r2@example.com") == 1


def test_a_server_that_drops_what_came_behind_is_found_out_once(sink: Sink) -> None:
    """Every mail is sent once; after one silence nothing is said ahead any more."""
    sink.script = Script(deaf=True)
    with transport_to(sink.uri, reply_timeout=0.3) as transport:
        answers = send_in_a_row(transport, mails(5))

    assert accepted(answers) == taken(sink) == [f"r{number}@example.com" for number in range(5)]
    assert sink.counts["connect"] == 2


def test_another_mail_than_the_announced_one(sink: Sink) -> None:
    """Whoever changes his mind gets a new connection; the announced mail is not sent."""
    first_mail, announced, other = mails(3)
    deadline = time.monotonic() + 5
    with transport_to(sink.uri) as transport, transport.session(deadline) as session:
        session.submit(first_mail, deadline=deadline, following=announced)
        session.submit(other, deadline=deadline)

    assert taken(sink) == ["r0@example.com", "r2@example.com"]


def test_a_session_that_ends_with_a_mail_announced(sink: Sink) -> None:
    """Its connection is not used again; the mail is not sent."""
    first_mail, announced, other = mails(3)
    deadline = time.monotonic() + 5
    with transport_to(sink.uri) as transport:
        with transport.session(deadline) as session:
            session.submit(first_mail, deadline=deadline, following=announced)
        send_in_a_row(transport, [other])

    assert taken(sink) == ["r0@example.com", "r2@example.com"]
    assert sink.counts["connect"] == 2


def test_a_mail_that_must_ask_before_data_is_asked(sink: Sink) -> None:
    """`before_data` of an announced mail is not passed over."""
    first_mail, announced = mails(2)
    deadline = time.monotonic() + 5
    asked = []
    with transport_to(sink.uri) as transport, transport.session(deadline) as session:
        session.submit(first_mail, deadline=deadline, following=announced)

        def ask() -> bool:
            asked.append(len(sink.messages))
            return True

        session.submit(announced, deadline=deadline, before_data=ask)

    assert asked == [1]
    assert taken(sink) == ["r0@example.com", "r1@example.com"]


def test_a_reply_too_many_is_noticed(sink: Sink) -> None:
    """It is not taken for the answer to the next mail's commands."""
    sink.script = Script(after_data=first(1, "250 2.0.0 Ok\r\n250 2.0.0 Ok again"))
    with transport_to(sink.uri) as transport:
        answers = send_in_a_row(transport, mails(3))

    assert accepted(answers) == taken(sink) == [f"r{number}@example.com" for number in range(3)]


def test_connections_are_replaced_after_their_share(sink: Sink) -> None:
    """SMTP_MAX_MESSAGES holds, and no envelope is said on a connection that has had its share."""
    with transport_to(sink.uri, max_messages=3) as transport:
        answers = send_in_a_row(transport, mails(7))

    assert accepted(answers) == taken(sink)
    assert sink.counts["connect"] == 3
    assert sink.counts["MAIL"] == 7


def test_many_recipients_take_their_round_trips(sink: Sink) -> None:
    """An envelope that does not fit into one group is not said ahead."""
    crowd = tuple(f"r{number}@example.com" for number in range(250))
    with transport_to(sink.uri) as transport:
        answers = send_in_a_row(transport, [a_mail(to=("a@x.example",)), a_mail(to=crowd)])

    assert accepted(answers) == ["a@x.example", *crowd]

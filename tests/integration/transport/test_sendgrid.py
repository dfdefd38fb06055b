"""SendGrid's Web API, as a server on this machine that knows its published description."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from config.sendgrid import SendGridApi
from tasks.envelope import Mail
from tasks.errors import NoConnection, Permanent, Transient, UnknownOutcome
from tasks.mail import Defaults, compose
from tasks.outcome import Outcome
from tasks.transport import Withdrawn
from tasks.transport.sendgrid import SendGridTransport
from tests.support.sendgrid import KEY, Reply, SendGrid


BOTH = ("a@example.com", "b@example.com")
_DEFAULTS = Defaults("shop@example.com", letters=True)


@pytest.fixture
def server() -> Iterator[SendGrid]:
    """SendGrid, until it is told otherwise."""
    with SendGrid() as running:
        yield running


@pytest.fixture
def transport(server: SendGrid) -> Iterator[SendGridTransport]:
    """A transport to it."""
    made = SendGridTransport(server.api, idle_seconds=30)
    yield made
    made.close()


def _mail(**fields: Any) -> Mail:
    document = {
        "_id": 1,
        "to": list(BOTH),
        "message": {"subject": "Hi", "text": "Hello"},
        **fields,
    }
    return compose(document, _DEFAULTS, now=datetime.now(UTC))


def _send(
    transport: SendGridTransport,
    mail: Mail | None = None,
    *,
    seconds: float = 10,
    before_data: Callable[[], bool] | None = None,
) -> Outcome:
    deadline = time.monotonic() + seconds
    with transport.session(deadline) as session:
        return session.submit(mail or _mail(), deadline=deadline, before_data=before_data)


def test_accepted(server: SendGrid, transport: SendGridTransport) -> None:
    """202 is everybody's, and the id of SendGrid's queue is the response."""
    outcome = _send(transport)

    assert outcome == Outcome(BOTH, response="202 X-Message-Id: id-1")
    assert server.recipients() == list(BOTH)


def test_connections_are_kept(server: SendGrid, transport: SendGridTransport) -> None:
    """Mails in a row share a connection; threads have one each."""
    for _ in range(5):
        _send(transport)
    assert server.counts["connect"] == 1

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: _send(transport), range(20)))
    assert [outcome.accepted for outcome in outcomes] == [BOTH] * 20
    assert server.counts["connect"] <= 5
    assert len(server.requests) == 25


def test_large_mail(server: SendGrid, transport: SendGridTransport) -> None:
    """An attachment of some megabytes arrives whole."""
    attachment = {"filename": "a.bin", "content": bytes(range(256)) * 20_000}

    _send(transport, _mail(message={"subject": "x", "text": "y", "attachments": [attachment]}))

    [request] = server.requests
    assert len(request["attachments"][0]["content"]) > 6_000_000


def test_refused(server: SendGrid, transport: SendGridTransport) -> None:
    """4xx is for good, with the API's words and what they are about."""
    server.script = Reply(400, [{"message": "Invalid template.", "field": "template_id"}])

    with pytest.raises(Permanent) as caught:
        _send(transport)

    assert str(caught.value) == (
        f"{server.api} did not take the mail: 400 Invalid template. (template_id)"
    )
    assert (caught.value.code, caught.value.response) == (
        400,
        "400 Invalid template. (template_id)",
    )


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(413, [{"message": "too large"}]), Permanent, "413 too large"),
        (
            Reply(403, [{"message": "not a verified Sender Identity", "field": "from"}]),
            Permanent,
            "verified Sender",
        ),
        (Reply(403, [{"message": "access forbidden", "field": None}]), NoConnection, "refused the"),
        (Reply(401, [{"message": "authorization required"}]), NoConnection, "refused the key of"),
        (Reply(500, raw=b""), UnknownOutcome, "500 (it may have been sent)"),
        (Reply(520), UnknownOutcome, "it may have been sent"),
        (Reply(503, raw=b"<html>busy</html>"), Transient, "busy"),
        (Reply(408), Transient, "408"),
        (Reply(502), UnknownOutcome, "it may have been sent"),
        (Reply(504), UnknownOutcome, "it may have been sent"),
        (Reply(307, headers={"Location": "http://127.0.0.1:1/"}), Permanent, "307"),
        (Reply(400, raw=b'{"errors": 5}'), Permanent, "400"),
        (Reply(400, raw=b"[" * 100_000), Permanent, "400"),
        (Reply(400, [{"message": f"you said {KEY}"}]), Permanent, "hold the key"),
        (Reply(400, [{"message": f"{'x' * 495} {KEY}"}]), Permanent, "hold the key"),
        (Reply(400, raw=f"{'x' * 495} {KEY}".encode()), Permanent, "hold the key"),
    ],
)
def test_answers(
    server: SendGrid,
    transport: SendGridTransport,
    reply: Reply,
    error: type[Exception],
    words: str,
) -> None:
    """Each status has its meaning; the key is never told."""
    server.script = reply

    with pytest.raises(error) as caught:
        _send(transport)

    assert type(caught.value) is error
    assert words in str(caught.value)
    assert KEY not in str(caught.value)
    assert server.requests == []


def test_too_many_requests(server: SendGrid, transport: SendGridTransport) -> None:
    """429 is for now; how long the API wants to be left alone is noted."""
    server.script = Reply(429, [{"message": "too many requests"}], {"Retry-After": "45"})

    with pytest.raises(Transient, match="too many requests; it asks to wait 45 s") as caught:
        _send(transport)

    assert caught.value.retry_after == 45
    assert not caught.value.throttled  # that would make the recipients' domains wait


def test_wrong_key(server: SendGrid) -> None:
    """A key that is none is named by its setting, and no mail was begun."""
    api = SendGridApi(server.url, "SG.wrong", "SMTP_PASSWORD")

    with (
        contextlib.closing(SendGridTransport(api, idle_seconds=30)) as transport,
        pytest.raises(NoConnection, match=r"refused the key of SMTP_PASSWORD: 401 The provided"),
    ):
        _send(transport)


def test_lost_after_the_request(server: SendGrid, transport: SendGridTransport) -> None:
    """Nobody knows what became of a mail whose answer never came."""
    server.script = "drop"

    with pytest.raises(UnknownOutcome, match="it may have sent it"):
        _send(transport)

    assert server.counts["request"] == 1


def test_no_answer_in_time(server: SendGrid, transport: SendGridTransport) -> None:
    """The deadline ends the wait for an answer; that leaves the mail in doubt."""
    server.script = "hang"
    started = time.monotonic()

    with pytest.raises(UnknownOutcome, match="did not answer in time"):
        _send(transport, seconds=0.5)

    assert time.monotonic() - started < 5


def test_lost_within_the_request(server: SendGrid, transport: SendGridTransport) -> None:
    """A server that closes before it has the whole request has no mail."""
    server.script = "reset early"
    attachment = {"filename": "a.bin", "content": b"x" * 20_000_000}
    mail = _mail(message={"subject": "x", "text": "y", "attachments": [attachment]})

    with pytest.raises(Transient, match="nothing was sent") as caught:
        _send(transport, mail)

    assert type(caught.value) is Transient
    assert server.counts["request"] == 0


def test_nobody_there() -> None:
    """A server that cannot be reached was given nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    api = SendGridApi(f"http://127.0.0.1:{port}", KEY)
    asked: list[bool] = []

    def before_data() -> bool:
        asked.append(True)
        return True

    with (
        contextlib.closing(SendGridTransport(api, idle_seconds=30)) as transport,
        pytest.raises(NoConnection, match="cannot be reached: connection refused; nothing was"),
    ):
        _send(transport, before_data=before_data)

    assert asked == []


def test_asked_before_the_content(server: SendGrid, transport: SendGridTransport) -> None:
    """The point of no return is passed once, when the connection stands and nothing is written."""
    seen: list[tuple[int, int]] = []

    def before_data() -> bool:
        seen.append((server.counts["connect"], server.counts["request"]))
        return True

    _send(transport)  # so that a connection stands
    _send(transport, before_data=before_data)

    assert seen == [(1, 1)]
    assert len(server.requests) == 2


def test_withdrawn(server: SendGrid, transport: SendGridTransport) -> None:
    """A mail whose lease is lost is not sent; the next one is."""
    with pytest.raises(Withdrawn):
        _send(transport, before_data=lambda: False)
    assert server.requests == []

    assert _send(transport).accepted == BOTH


def test_what_it_raises_comes_through(server: SendGrid, transport: SendGridTransport) -> None:
    """An error while passing the point of no return is that error, and nothing was sent."""

    def fail() -> bool:
        raise RuntimeError("MongoDB is away")

    with pytest.raises(RuntimeError, match="MongoDB is away"):
        _send(transport, before_data=fail)

    assert server.requests == []


def test_server_that_closed_meanwhile(server: SendGrid, transport: SendGridTransport) -> None:
    """A connection that was closed while it was idle is not used again."""
    server.script = "drop"
    with pytest.raises(UnknownOutcome):
        _send(transport)
    server.script = None

    assert _send(transport).accepted == BOTH
    assert len(server.requests) == 1


def test_nobody_left(server: SendGrid, transport: SendGridTransport) -> None:
    """When no address can be told, nobody is asked."""
    outcome = _send(transport, _mail(to="jürgen@example.com"))

    assert outcome.rejected == ("jürgen@example.com",)
    assert outcome.accepted == ()
    assert server.counts["connect"] == 0


def test_sandbox(transport: SendGridTransport) -> None:
    """In SendGrid's sandbox 200 is the answer, and counts as taken."""
    mail = _mail(sendGrid={"mailSettings": {"sandboxMode": {"enable": True}}})

    assert _send(transport, mail).response == "200 X-Message-Id: id-1"


def test_more_time(server: SendGrid, transport: SendGridTransport) -> None:
    """With the lease the deadline is renewed, while the point of no return is passed."""
    server.script = Reply(202, raw=b"")
    now = time.monotonic()
    with transport.session(now + 5) as session:
        deadline = now + 0.3

        def before_data() -> bool:
            threading.Event().wait(deadline - time.monotonic())  # until the first one is over
            session.extend(now + 10)
            return True

        outcome = session.submit(_mail(), deadline=deadline, before_data=before_data)

    assert outcome.accepted == BOTH

"""AUTH with a real server."""

from __future__ import annotations

import base64
import contextlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from local import ports
from tasks.errors import Transient
from tests.support.sink import Script, Sink
from tests.support.smtp import BOTH, send, transport_to


# aiosmtpd warns of what these tests do on loopback.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

_USER, _PASSWORD = "us er@example.com", "p:ä/ss word"
_CREDENTIALS = "us%20er%40example.com:p%3A%C3%A4%2Fss%20word"
_CHALLENGE = b"<1896.697170952@postoffice.example.com>"


class _Mechanisms:
    """A handler of aiosmtpd with CRAM-MD5, which aiosmtpd has not."""

    async def auth_CRAM__MD5(self, server: SMTP, _: list[str]) -> AuthResult:  # noqa: N802
        said = await server.challenge_auth(_CHALLENGE)
        assert isinstance(said, bytes)
        user, digest = said.rsplit(b" ", 1)
        expected = hmac.new(_PASSWORD.encode(), _CHALLENGE, "md5").hexdigest()
        good = user == _USER.encode() and digest == expected.encode()
        return AuthResult(success=good, handled=False)

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope
    ) -> str:
        return "250 Ok" if session.authenticated else "530 Authentication required"


def _is_known(
    _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
) -> AuthResult:
    good = data == LoginPassword(_USER.encode(), _PASSWORD.encode())
    return AuthResult(success=good, handled=False)


@contextlib.contextmanager
def _server(*mechanisms: str) -> Iterator[int]:
    """Run a server that knows these mechanisms only; gives its port."""
    port = ports.free()
    controller = Controller(
        _Mechanisms(),
        hostname="127.0.0.1",
        port=port,
        authenticator=_is_known,
        auth_require_tls=False,
        auth_required=True,
        auth_exclude_mechanism={"PLAIN", "LOGIN", "CRAM-MD5"} - set(mechanisms),
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_accepted(mechanism: str) -> None:
    """Each mechanism opens the door, with any characters in name and password."""
    with (
        _server(mechanism) as port,
        transport_to(f"smtp://{_CREDENTIALS}@127.0.0.1:{port}") as transport,
    ):
        assert send(transport).accepted == BOTH


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_refused(mechanism: str) -> None:
    """A wrong password is named as such, with the setting and the server's words."""
    with (
        _server(mechanism) as port,
        transport_to(f"smtp://user:wrong-secret@127.0.0.1:{port}") as transport,
        pytest.raises(Transient) as caught,
    ):
        send(transport)

    assert str(caught.value) == (
        f"127.0.0.1:{port} refused the user name or password of SMTP_CONNECTION_URI:"
        f" {caught.value.response}"
    )
    assert caught.value.code == 535
    assert "wrong-secret" not in str(caught.value)


def test_not_offered(sink: Sink) -> None:
    """A server without a mechanism that we know is an error, not a mail without AUTH."""
    sink.script = Script(extensions=("AUTH GSSAPI XOAUTH2",))
    with (
        transport_to(f"smtp://user:secret@127.0.0.1:{sink.port}") as transport,
        pytest.raises(Transient, match="offers no AUTH that we know"),
    ):
        send(transport)

    assert sink.counts["MAIL"] == 0


def test_not_now(sink: Sink) -> None:
    """A server whose password check is out of order is not a wrong password."""
    sink.script = Script(extensions=("AUTH PLAIN",), auth="454 4.7.0 Try later")
    with (
        transport_to(f"smtp://user:secret@127.0.0.1:{sink.port}") as transport,
        pytest.raises(Transient, match=r"did not finish AUTH PLAIN: 454 4.7.0 Try later"),
    ):
        send(transport)


@pytest.mark.parametrize("challenge", ["334 ", "334 !!!", "334 YQ=="])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_endless_challenges(sink: Sink, mechanism: str, challenge: str) -> None:
    """A server that asks on and on is told that the conversation is over."""
    sink.script = Script(extensions=(f"AUTH {mechanism}",), auth=challenge, unknown=challenge)
    with (
        transport_to(f"smtp://user:secret@127.0.0.1:{sink.port}", reply_timeout=0.5) as transport,
        pytest.raises(Transient),
    ):
        send(transport)

    assert sink.commands[-1] == "*"
    assert sink.commands.count("*") == 1


_SECRET = "secret-password"
_PLAIN = base64.b64encode(f"\0user\0{_SECRET}".encode()).decode()
REPEATED = [
    f"535 5.7.8 Bad: {_SECRET}",
    f"535 5.7.8 Bad: {base64.b64encode(_SECRET.encode()).decode()}",
    f"500 5.5.2 Unknown command: AUTH PLAIN {_PLAIN}",
    f"500-5.5.2 Unknown command:\r\n500 AUTH PLAIN {_PLAIN[:20]}...",
    f"421 4.7.0 Not AUTH PLAIN {_PLAIN}",
    f"AUTH PLAIN {_PLAIN}",
]


@pytest.mark.parametrize("answer", REPEATED)
def test_repeated_password(sink: Sink, answer: str) -> None:
    """A server that repeats the password, or the command that holds it, is not quoted."""
    sink.script = Script(extensions=("AUTH PLAIN",), auth=answer)
    with (
        transport_to(f"smtp://user:{_SECRET}@127.0.0.1:{sink.port}") as transport,
        pytest.raises(Transient) as caught,
    ):
        send(transport)

    shown = f"{caught.value} {caught.value.response}"
    assert _SECRET not in shown
    assert _PLAIN[:12] not in shown
    assert base64.b64encode(_SECRET.encode()).decode()[:12] not in shown
    if answer[0].isdigit():
        assert answer[:3] in shown


@pytest.mark.parametrize("stage", ["mail", "after_data"])
def test_password_repeated_later(sink: Sink, stage: str) -> None:
    """Nor is it quoted afterwards, in the outcome of a mail."""
    words = f"Hello user, your password is {_SECRET}"
    script = Script(extensions=("AUTH PLAIN",), mail=f"550 {words}")
    if stage == "after_data":
        script = Script(extensions=("AUTH PLAIN",), after_data=f"250 {words}")
    sink.script = script
    with transport_to(f"smtp://user:{_SECRET}@127.0.0.1:{sink.port}") as transport:
        outcome = send(transport)

    assert _SECRET not in str(outcome)
    assert "its words hold the password" in str(outcome.response)


def test_password_in_last_words(sink: Sink) -> None:
    """Nor when the server closes the connection on it."""
    sink.script = Script(extensions=("AUTH PLAIN",), mail=f"421 4.7.0 Bye, {_SECRET}")
    with (
        transport_to(f"smtp://user:{_SECRET}@127.0.0.1:{sink.port}") as transport,
        pytest.raises(Transient) as caught,
    ):
        send(transport)

    assert _SECRET not in f"{caught.value} {caught.value.response}"
    assert "421" in str(caught.value)

"""AUTH with access tokens: a real token endpoint, and a real server that takes its tokens."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.smtp import SmtpServer, with_tokens
from config.tls import TlsOptions
from tasks.errors import Transient
from tasks.transport import SmtpTransport
from tests.support.sink import Script, Sink
from tests.support.smtp import BOTH, send, transport_to
from tests.support.token_endpoint import TokenEndpoint
from tests.support.token_smtp import USER, TokenServer, serving


# aiosmtpd warns of what these tests do on loopback.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    """A token endpoint that gives tokens for an hour."""
    with TokenEndpoint() as running:
        yield running


def _server(port: int, endpoint: TokenEndpoint, *, secure: bool = False) -> SmtpServer:
    return with_tokens("127.0.0.1", port, secure=secure, user=USER, client=endpoint.client())


def _send_anew(transport: SmtpTransport) -> None:
    """Send over a new connection, in which AUTH is said again."""
    for _, connection in transport._idle:
        connection.close()
    send(transport)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused token may be renewed at once."""
    monkeypatch.setattr("tasks.transport.access_tokens._PAUSE", 0.0)


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_accepted(endpoint: TokenEndpoint, mechanism: str) -> None:
    """Each mechanism opens the door, and the mail is taken."""
    server = TokenServer(endpoint, mechanism)
    with serving(server) as port, transport_to(_server(port, endpoint)) as transport:
        assert send(transport).accepted == BOTH

    assert server.shown == ["token-1"]
    assert len(server.taken) == 1


def test_over_tls(
    endpoint: TokenEndpoint, certified: Callable[[str], ssl.SSLContext], ca: str
) -> None:
    """OAUTH_SECURE is TLS from the first byte, as with Google's port 465."""
    server = TokenServer(endpoint)
    options = TlsOptions(ca=ca)
    with (
        serving(server, certified("127.0.0.1")) as port,
        transport_to(_server(port, endpoint, secure=True), options) as transport,
    ):
        assert send(transport).accepted == BOTH


def test_many_connections_one_token(endpoint: TokenEndpoint) -> None:
    """Threads with a connection each share one token."""
    server = TokenServer(endpoint)
    with (
        serving(server) as port,
        transport_to(_server(port, endpoint)) as transport,
        ThreadPoolExecutor(6) as pool,
    ):
        outcomes = list(pool.map(lambda _: send(transport), range(24)))

    assert [outcome.accepted for outcome in outcomes] == [BOTH] * 24
    assert len(endpoint.asked) == 1
    assert set(server.shown) == {"token-1"}


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_token_that_ended_early(endpoint: TokenEndpoint, mechanism: str) -> None:
    """A refused token is renewed, and the mail goes out: nobody notices."""
    server = TokenServer(endpoint, mechanism)
    with serving(server) as port, transport_to(_server(port, endpoint)) as transport:
        send(transport)
        endpoint.revoke_tokens()
        _send_anew(transport)

    assert server.shown == ["token-1", "token-1", "token-2"]
    assert server.last_words == [b"" if mechanism == "XOAUTH2" else b"\1"]
    assert len(server.taken) == 2


@pytest.mark.usefixtures("_impatient")
def test_token_refused_with_a_goodbye(endpoint: TokenEndpoint) -> None:
    """A server that closes the connection with its refusal gets the new token on another one."""
    server = TokenServer(endpoint)
    server.refusal = "535 5.7.3 Authentication unsuccessful"
    with serving(server) as port, transport_to(_server(port, endpoint)) as transport:
        send(transport)
        endpoint.revoke_tokens()
        _send_anew(transport)

    assert len(server.taken) == 2


def test_account_that_may_not(endpoint: TokenEndpoint) -> None:
    """A good token that the server refuses is said so, with its words; the endpoint has peace."""
    server = TokenServer(endpoint)
    server.refuses_all = True
    server.refusal = "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant"
    with serving(server) as port, transport_to(_server(port, endpoint)) as transport:
        for _ in range(3):
            with pytest.raises(Transient) as caught:
                send(transport)

    assert str(caught.value) == (
        f"127.0.0.1:{port} refused the access token for OAUTH_USER ({USER}):"
        " 535 5.7.139 SmtpClientAuthentication is disabled for the Tenant"
    )
    assert caught.value.code == 535
    assert len(endpoint.asked) == 1


def test_revoked(endpoint: TokenEndpoint) -> None:
    """With a revoked refresh token nothing is sent, and the error says what to do."""
    endpoint.refresh_token = "another"
    server = TokenServer(endpoint)
    with (
        serving(server) as port,
        transport_to(_server(port, endpoint)) as transport,
        pytest.raises(Transient, match="does not accept REFRESH_TOKEN any more: it was revoked"),
    ):
        send(transport)

    assert server.shown == []


def test_not_offered(endpoint: TokenEndpoint) -> None:
    """A token is never given as a password to a server that takes no tokens."""
    script = Script(extensions=("AUTH PLAIN LOGIN",))
    with (
        Sink(script=script) as sink,
        transport_to(_server(sink.port, endpoint)) as transport,
        pytest.raises(Transient, match=r"offers no AUTH for OAuth2 \(XOAUTH2, OAUTHBEARER\)"),
    ):
        send(transport)

    assert endpoint.asked == []


def test_not_now(endpoint: TokenEndpoint) -> None:
    """A server whose check is out of order does not cost us the token."""
    script = Script(extensions=("AUTH XOAUTH2",), auth="454 4.7.0 Try later")
    with (
        Sink(script=script) as sink,
        transport_to(_server(sink.port, endpoint)) as transport,
    ):
        for _ in range(2):
            with pytest.raises(Transient, match=r"did not finish AUTH XOAUTH2: 454 4.7.0"):
                send(transport)

    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("secret", ["token-1", base64.b64encode(b"token-1").decode()])
def test_repeated_token(endpoint: TokenEndpoint, secret: str) -> None:
    """A server that repeats the token is not quoted."""
    script = Script(extensions=("AUTH XOAUTH2",), auth=f"535 5.7.8 Bad: {secret}")
    with (
        Sink(script=script) as sink,
        transport_to(_server(sink.port, endpoint)) as transport,
        pytest.raises(Transient) as caught,
    ):
        send(transport)

    assert secret not in f"{caught.value} {caught.value.response}"


def test_in_clear(endpoint: TokenEndpoint) -> None:
    """OAUTH_SECURE=false is STARTTLS, or nothing: a token never crosses the net in clear."""
    script = Script(extensions=("AUTH XOAUTH2",))
    with Sink(script=script) as sink:
        # 0.0.0.0 leads to this machine, and is no loopback address.
        client = endpoint.client()
        server = with_tokens("0.0.0.0", sink.port, secure=False, user=USER, client=client)
        with (
            transport_to(server) as transport,
            pytest.raises(Transient, match="does not offer STARTTLS, which OAUTH_HOST requires"),
        ):
            send(transport)

    assert sink.counts["AUTH"] == 0
    assert endpoint.asked == []

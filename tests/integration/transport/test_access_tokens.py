"""Access tokens of a real token endpoint: shared, renewed in time, asked for by one thread."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme

from tasks.errors import Transient
from tasks.transport.access_tokens import AccessTokens
from tests.support.token_endpoint import (
    CLIENT_SECRET,
    REFRESH_TOKEN,
    Answer,
    TokenEndpoint,
)


class _Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    """A token endpoint that gives tokens for an hour."""
    with TokenEndpoint() as running:
        yield running


@pytest.fixture
def clock() -> _Clock:
    """The time of the tokens."""
    return _Clock()


@pytest.fixture
def tokens(endpoint: TokenEndpoint, clock: _Clock) -> AccessTokens:
    """The tokens of a process."""
    return AccessTokens(endpoint.client(), clock=clock)


def _soon(seconds: float = 5) -> float:
    return time.monotonic() + seconds


def test_one_token_for_all(endpoint: TokenEndpoint, tokens: AccessTokens) -> None:
    """Threads that begin together ask once, and all get the same token."""
    together = threading.Barrier(8)

    def get() -> str:
        together.wait()
        return tokens.get(_soon())

    with ThreadPoolExecutor(8) as pool:
        got = [future.result() for future in [pool.submit(get) for _ in range(8)]]

    assert got == ["token-1"] * 8
    assert len(endpoint.asked) == 1
    assert endpoint.asked[0]["grant_type"] == "refresh_token"


def test_renewed_before_the_end(
    endpoint: TokenEndpoint, tokens: AccessTokens, clock: _Clock
) -> None:
    """A token is used until five minutes before its end, then a new one is fetched."""
    tokens.get(_soon())
    clock.now += 3600 - 301
    before = tokens.get(_soon())
    clock.now += 2
    after = tokens.get(_soon())

    assert (before, after) == ("token-1", "token-2")
    assert len(endpoint.asked) == 2


def test_short_tokens(endpoint: TokenEndpoint, tokens: AccessTokens, clock: _Clock) -> None:
    """A token that lasts a minute is used for half of it, not thrown away at once."""
    endpoint.seconds = 60
    got = [tokens.get(_soon())]
    for step in (29, 2):
        clock.now += step
        got.append(tokens.get(_soon()))

    assert got == ["token-1", "token-1", "token-2"]


@pytest.mark.parametrize("seconds", [None, "soon", -1, "nan", "1e999"])
def test_unknown_end(
    endpoint: TokenEndpoint, tokens: AccessTokens, clock: _Clock, seconds: object
) -> None:
    """Without a sensible `expires_in` a token counts as good for an hour."""
    endpoint.seconds = seconds
    tokens.get(_soon())
    clock.now += 3200
    assert tokens.get(_soon()) == "token-1"
    clock.now += 200
    assert tokens.get(_soon()) == "token-2"


def test_early_renewal_that_fails(
    endpoint: TokenEndpoint, tokens: AccessTokens, clock: _Clock
) -> None:
    """While the token is good, an endpoint out of order holds up no mail; then it does."""
    tokens.get(_soon())
    endpoint.script = Answer(503)
    clock.now += 3500
    assert tokens.get(_soon()) == "token-1"
    assert tokens.get(_soon()) == "token-1"
    assert len(endpoint.asked) == 2  # not one for each mail

    clock.now += 101
    with pytest.raises(Transient, match="HTTP 503"):
        tokens.get(_soon())

    endpoint.script = None
    clock.now += 11
    assert tokens.get(_soon()) == "token-2"


def test_renewing_holds_nobody_up(
    endpoint: TokenEndpoint, tokens: AccessTokens, clock: _Clock
) -> None:
    """While one thread renews early, the others go on with the token that is still good."""
    tokens.get(_soon())
    asked, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        asked.set()
        assert go_on.wait(10)

    endpoint.script = slow
    clock.now += 3400
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(tokens.get, _soon(10))
        assert asked.wait(10)
        meanwhile = tokens.get(_soon())
        go_on.set()

    assert meanwhile == "token-1"
    assert renewing.result() == "token-2"


def test_endpoint_that_hangs(endpoint: TokenEndpoint, tokens: AccessTokens) -> None:
    """Nobody waits beyond the deadline, neither who asks nor who waits for him to be done."""
    go_on = threading.Event()

    def hang() -> None:
        go_on.wait(10)

    endpoint.script = hang
    started = time.monotonic()
    try:
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(tokens.get, started + 0.5) for _ in range(4)]
            failures = [future.exception(10) for future in waiting]
    finally:
        go_on.set()

    assert all(isinstance(failure, Transient) for failure in failures)
    assert any("did not answer in time" in str(failure) for failure in failures)
    assert time.monotonic() - started < 5


def test_failure_is_shared(endpoint: TokenEndpoint, tokens: AccessTokens, clock: _Clock) -> None:
    """After a failure the endpoint is left alone for ten seconds; every mail gets its words."""
    endpoint.script = Answer(500)
    for _ in range(5):
        with pytest.raises(Transient, match="HTTP 500"):
            tokens.get(_soon())
    assert len(endpoint.asked) == 1

    clock.now += 10.1
    endpoint.script = None
    assert tokens.get(_soon()) == "token-1"


def test_revoked(endpoint: TokenEndpoint) -> None:
    """A revoked refresh token is called that, in words that say what to do."""
    tokens = AccessTokens(endpoint.client(refresh_token="revoked-refresh-token"))

    with pytest.raises(Transient) as caught:
        tokens.get(_soon())

    assert str(caught.value) == (
        f"{endpoint.client().endpoint} does not accept REFRESH_TOKEN any more: it was revoked, or"
        " has expired; a new one is needed (invalid_grant: Token has been expired or revoked.);"
        " nothing was sent"
    )


def test_wrong_client(endpoint: TokenEndpoint) -> None:
    """A wrong client secret is told apart from a revoked refresh token."""
    tokens = AccessTokens(endpoint.client(client_secret="wrong"))

    with pytest.raises(Transient, match="does not accept CLIENT_ID with CLIENT_SECRET"):
        tokens.get(_soon())


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, raw=b"<html>sign in</html>"),
        Answer(200, {"token_type": "Bearer"}),
        Answer(200, {"access_token": ""}),
        Answer(200, {"access_token": "a\1b\r\nRCPT TO:<x@y>"}),
        Answer(200, {"access_token": 7}),
        Answer(200, raw=b"[]"),
        Answer(200, raw=b"x" * 300_000),
        Answer(200, raw=b'{"access_token": ' + b"[" * 100_000),
        Answer(302, headers={"Location": "https://login.example.com/"}),
        Answer(404, raw=b"not here"),
        Answer(400, {"error": "invalid_scope"}),
    ],
    ids=lambda answer: f"{answer.status}-{(answer.raw or answer.body)!s:.20}",
)
def test_useless_answers(endpoint: TokenEndpoint, tokens: AccessTokens, answer: Answer) -> None:
    """Whatever else the endpoint says is an error with its name, and no token."""
    endpoint.script = answer

    with pytest.raises(Transient, match=r"127\.0\.0\.1"):
        tokens.get(_soon())


def test_nobody_there() -> None:
    """An endpoint that is not there is named."""
    with TokenEndpoint() as gone:
        client = gone.client()

    with pytest.raises(Transient, match=r"token endpoint 127.0.0.1:\d+ cannot be reached"):
        AccessTokens(client).get(_soon())


def test_certificate(
    authority: trustme.CA,
    certified: Callable[[str], ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The endpoint's certificate is checked by the system's authorities before a secret is told."""
    with TokenEndpoint(tls=certified("127.0.0.1")) as endpoint:
        with pytest.raises(Transient, match="its certificate is not trusted"):
            AccessTokens(endpoint.client()).get(_soon())
        assert endpoint.asked == []

        bundle = tmp_path / "authorities.pem"
        authority.cert_pem.write_to_path(str(bundle))
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        assert AccessTokens(endpoint.client()).get(_soon()) == "token-1"


def test_no_secret_is_told(endpoint: TokenEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """An endpoint that repeats our secrets is not quoted, neither in errors nor in logs."""
    for secret in (CLIENT_SECRET, REFRESH_TOKEN):
        endpoint.script = Answer(400, {"error": "bad", "error_description": f"You sent {secret}."})
        with pytest.raises(Transient) as caught:
            AccessTokens(endpoint.client()).get(_soon())
        assert secret not in str(caught.value)
    endpoint.script = None
    tokens = AccessTokens(endpoint.client())
    token = tokens.get(_soon())

    logged = "".join(capsys.readouterr())
    assert "oauth2.renewed" in logged
    for secret in (CLIENT_SECRET, REFRESH_TOKEN, token):
        assert secret not in logged + repr(endpoint.client()) + repr(tokens._held)


def test_rotating_refresh_tokens(
    endpoint: TokenEndpoint, tokens: AccessTokens, clock: _Clock
) -> None:
    """A new refresh token takes the old one's place (RFC 6749 section 6)."""
    endpoint.rotates = True
    tokens.get(_soon())
    clock.now += 3400

    assert tokens.get(_soon()) == "token-2"
    assert endpoint.asked[1]["refresh_token"] == f"{REFRESH_TOKEN}-1"


def test_refused_token(endpoint: TokenEndpoint, tokens: AccessTokens, clock: _Clock) -> None:
    """A token that the SMTP server refuses is renewed once; one made just now is kept."""
    token = tokens.get(_soon())
    assert not tokens.refused(token)
    clock.now += 60
    assert tokens.refused(token)
    assert tokens.refused(token)  # another thread, with the same token
    renewed = tokens.get(_soon())

    assert renewed == "token-2"
    assert tokens.refused(token)  # late: there is a better one already
    assert tokens.get(_soon()) == renewed
    assert len(endpoint.asked) == 2

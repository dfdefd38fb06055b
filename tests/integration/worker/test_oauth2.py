"""A worker that logs in with access tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.application import Application
from tests.support.token_endpoint import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TokenEndpoint
from tests.support.token_smtp import USER, TokenServer, serving


pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    """A token endpoint that gives tokens for an hour."""
    with TokenEndpoint() as running:
        yield running


def _variables(port: int, endpoint: TokenEndpoint) -> dict[str, str]:
    return {
        "AUTH_TYPE": "OAuth2",
        "SMTP_CONNECTION_URI": "",
        "OAUTH_HOST": "127.0.0.1",
        "OAUTH_PORT": str(port),
        "OAUTH_SECURE": "false",
        "OAUTH_USER": USER,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "REFRESH_TOKEN": REFRESH_TOKEN,
        "TOKEN_URL": endpoint.url,
    }


def test_worker(application: Application, endpoint: TokenEndpoint) -> None:
    """Mails go out with a token; once it is revoked `delivery.error` says so, and no secret."""
    server = TokenServer(endpoint)
    with serving(server) as port:
        application.watcher()
        worker = application.worker(
            **_variables(port, endpoint),
            SMTP_IDLE_SECONDS="0.01",
        )
        [id] = application.insert()
        application.wait_for(id, "SUCCESS")

        endpoint.revoke_tokens()
        endpoint.refresh_token = "another"
        # A token younger than ten seconds is not renewed: the refusal itself is reported.
        [id] = application.insert()
        refused = application.wait_for(id, "ERROR")

    assert "refused the access token for OAUTH_USER" in refused["error"]
    assert len(server.taken) == 1
    logs = worker.last_lines(1000)
    assert "oauth2.renewed" in logs
    assert not [s for s in (CLIENT_SECRET, REFRESH_TOKEN, "token-1") if s in logs]


def test_revoked(application: Application, endpoint: TokenEndpoint) -> None:
    """A revoked refresh token stands in `delivery.error` in plain words; nothing is sent."""
    server = TokenServer(endpoint)
    endpoint.refresh_token = "another"
    with serving(server) as port:
        application.watcher()
        application.worker(**_variables(port, endpoint))
        [id] = application.insert()
        delivery = application.wait_for(id, "ERROR")

    assert "does not accept REFRESH_TOKEN any more: it was revoked, or has" in delivery["error"]
    assert server.shown == []

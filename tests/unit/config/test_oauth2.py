"""AUTH_TYPE=OAuth2."""

from __future__ import annotations

import pytest

from config.smtp import Security
from tests.unit.config.conftest import Problems, Read


OAUTH2 = {
    "AUTH_TYPE": "OAuth2",
    "SMTP_CONNECTION_URI": "",
    "OAUTH_HOST": "smtp.gmail.com",
    "OAUTH_USER": "shop@example.com",
    "CLIENT_ID": "1234.apps.googleusercontent.com",
    "CLIENT_SECRET": "hidden-secret",
    "REFRESH_TOKEN": "hidden-refresh",
}


def test_firebase_settings(read: Read) -> None:
    """What the Firebase extension needs is enough: no SMTP_CONNECTION_URI, Google by its host."""
    server = read(**OAUTH2).smtp_server

    assert (server.host, server.port, server.security) == ("smtp.gmail.com", 465, Security.TLS)
    assert (server.username, server.password) == ("shop@example.com", None)
    assert server.oauth2 is not None
    assert server.oauth2.token_url == "https://oauth2.googleapis.com/token"
    assert server.oauth2.refresh_token == "hidden-refresh"
    assert server.oauth2.client_secret == "hidden-secret"
    assert "hidden" not in repr(server)


def test_uri_is_not_asked(read: Read) -> None:
    """With OAuth2 SMTP_CONNECTION_URI is not looked at, as in the extension."""
    ours = read(**OAUTH2 | {"SMTP_CONNECTION_URI": "smtp://old:password@elsewhere.example"})

    assert ours.smtp_server.host == "smtp.gmail.com"


@pytest.mark.parametrize(
    ("host", "given", "url"),
    [
        ("smtp-relay.gmail.com", "", "https://oauth2.googleapis.com/token"),
        ("smtp.gmail.com", "google", "https://oauth2.googleapis.com/token"),
        (
            "smtp.office365.com",
            "",
            "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        ),
        (
            "smtp-mail.outlook.com",
            "",
            "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        ),
        (
            "mx.example.com",
            "Microsoft",
            "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        ),
        ("mx.example.com", "https://id.example.com/t", "https://id.example.com/t"),
        ("mx.example.com", "http://127.0.0.1:8080/t", "http://127.0.0.1:8080/t"),
    ],
)
def test_token_url(read: Read, host: str, given: str, url: str) -> None:
    """TOKEN_URL is a preset, a URL, or what belongs to the SMTP server."""
    server = read(**OAUTH2 | {"OAUTH_HOST": host, "TOKEN_URL": given}).smtp_server

    assert server.oauth2 is not None
    assert server.oauth2.token_url == url


@pytest.mark.parametrize(
    ("host", "given", "words"),
    [
        ("mx.example.com", "", "is needed: google, microsoft, or the URL of the token endpoint"),
        ("notgmail.com", "", "is needed"),
        ("mx.example.com", "yahoo", "must be google, microsoft, or a URL"),
        ("mx.example.com", "ftp://id.example.com/t", "must be google, microsoft, or a URL"),
        ("mx.example.com", "https://id.example.com:65536/t", "must be google, microsoft, or a URL"),
        ("mx.example.com", "https://me:pw@id.example.com/t", "must be google, microsoft, or a URL"),
        ("mx.example.com", "https://id.example.com/t oken", "must be google, microsoft, or a URL"),
        ("mx.example.com", "https://", "must be google, microsoft, or a URL"),
        ("mx.example.com", "http://id.example.com/t", "would cross the net in clear"),
    ],
)
def test_bad_token_url(problems: Problems, host: str, given: str, words: str) -> None:
    """The refresh token is told to nobody unless it is clear to whom, and never in clear."""
    [line] = problems(**OAUTH2 | {"OAUTH_HOST": host, "TOKEN_URL": given})

    assert line.startswith("TOKEN_URL: ")
    assert words in line


@pytest.mark.parametrize("variable", ["OAUTH_HOST", "OAUTH_USER", "CLIENT_ID", "REFRESH_TOKEN"])
def test_what_is_lacking(problems: Problems, variable: str) -> None:
    """What OAuth2 cannot do without is asked for."""
    [line] = problems(**OAUTH2 | {variable: ""})

    assert line.startswith(f"{variable}: is needed with AUTH_TYPE=OAuth2")


def test_public_client(read: Read) -> None:
    """A client without a secret is possible."""
    server = read(**OAUTH2 | {"CLIENT_SECRET": ""}).smtp_server

    assert server.oauth2 is not None
    assert server.oauth2.client_secret is None


@pytest.mark.parametrize(
    ("host", "security"),
    [("smtp.office365.com", Security.REQUIRED), ("127.0.0.1", Security.OPPORTUNISTIC)],
)
def test_not_secure(read: Read, host: str, security: Security) -> None:
    """OAUTH_SECURE=false is STARTTLS, which must be there except on this machine."""
    ours = read(
        **OAUTH2
        | {"OAUTH_HOST": host, "OAUTH_PORT": "587", "OAUTH_SECURE": "false"}
        | {"TOKEN_URL": "google"}
    )

    assert ours.smtp_server.security is security
    assert ours.smtp_server.port == 587


def test_others_variables(read: Read) -> None:
    """Without OAuth2 these variables are somebody else's, whatever stands in them."""
    ours = read(CLIENT_ID="x", TOKEN_URL="nonsense", REFRESH_TOKEN="y")

    assert ours.smtp_server.oauth2 is None


@pytest.mark.parametrize("host", ["smtp://smtp.gmail.com", "me@smtp.gmail.com", "a b", "a..b"])
def test_bad_host(problems: Problems, host: str) -> None:
    """OAUTH_HOST is a name, not a URI."""
    [line] = problems(**OAUTH2 | {"OAUTH_HOST": host})

    assert line.startswith("OAUTH_HOST: is no host name")

"""SENDGRID_API_KEY, and smtp.sendgrid.net."""

from __future__ import annotations

import pytest

from config.sendgrid import SendGridApi
from config.smtp import SmtpServer
from tests.unit.config.conftest import Problems, Read


def test_key_alone(read: Read) -> None:
    """With a key and no server all mails go over the API."""
    ours = read(SMTP_CONNECTION_URI="", SENDGRID_API_KEY="SG.hidden", RATE_LIMIT="5/second")

    [only] = ours.transports
    assert only.name == "default"
    assert only.server == SendGridApi("https://api.sendgrid.com", "SG.hidden", "SENDGRID_API_KEY")
    assert only.rate_limit is not None
    assert ours.smtp_server.host == "smtp.sendgrid.net"  # whoever asks whether it is this machine
    assert "hidden" not in repr(ours.transports) + repr(ours)


def test_key_beside_a_server(read: Read) -> None:
    """A key beside a server makes a second transport."""
    ours = read(SENDGRID_API_KEY="SG.hidden", SENDGRID_API_URL="https://api.eu.sendgrid.com/")

    default, second = ours.transports
    assert isinstance(default.server, SmtpServer)
    assert second.name == "sendgrid"
    assert isinstance(second.server, SendGridApi)
    assert second.server.at("/v3/mail/send") == "https://api.eu.sendgrid.com/v3/mail/send"
    assert str(second.server) == "api.eu.sendgrid.com"


@pytest.mark.parametrize(
    "uri",
    [
        "smtps://apikey@smtp.sendgrid.net:465",
        "smtps://smtp.sendgrid.net:465",
        "smtp://me%40example.com@smtp.sendgrid.net:587",
    ],
)
def test_firebase_settings(read: Read, uri: str) -> None:
    """The extension looks at the host alone, and takes SMTP_PASSWORD for the key."""
    [only] = read(SMTP_CONNECTION_URI=uri, SMTP_PASSWORD="SG.hidden").transports

    assert only.server == SendGridApi("https://api.sendgrid.com", "SG.hidden", "SMTP_PASSWORD")


def test_named(read: Read) -> None:
    """A named transport may be SendGrid, with a sender and a rate of its own."""
    _, news = read(
        SMTP_CONNECTION_URI_NEWS="smtps://smtp.sendgrid.net",
        SMTP_PASSWORD_NEWS="SG.hidden",
        DEFAULT_FROM_NEWS="news@example.com",
    ).transports

    assert isinstance(news.server, SendGridApi)
    assert (news.server.variable, news.default_from) == ("SMTP_PASSWORD_NEWS", "news@example.com")


def test_with_oauth2(read: Read) -> None:
    """With OAuth2 the key makes a second transport, whatever the URI says."""
    ours = read(
        AUTH_TYPE="OAuth2",
        SMTP_CONNECTION_URI="",
        OAUTH_HOST="smtp.gmail.com",
        OAUTH_USER="me@example.com",
        CLIENT_ID="id",
        REFRESH_TOKEN="t",
        SENDGRID_API_KEY="SG.hidden",
    )

    assert [each.name for each in ours.transports] == ["default", "sendgrid"]
    assert isinstance(ours.transports[0].server, SmtpServer)


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {"SMTP_CONNECTION_URI": "smtps://smtp.sendgrid.net"},
            "SMTP_CONNECTION_URI: needs an API key: set SMTP_PASSWORD.",
        ),
        ({"SENDGRID_API_KEY": "SG.a\nb"}, "SENDGRID_API_KEY: has an API key with characters"),
        (
            {"SMTP_CONNECTION_URI": "smtps://smtp.sendgrid.net", "SMTP_PASSWORD": "a b"},
            "SMTP_CONNECTION_URI: has an API key with characters",
        ),
        (
            {"SENDGRID_API_URL": "http://api.sendgrid.com"},
            "SENDGRID_API_URL: must begin with https",
        ),
        ({"SENDGRID_API_URL": "https://api.sendgrid.com/v3"}, "SENDGRID_API_URL: must end after"),
        ({"SENDGRID_API_URL": "api.sendgrid.com"}, "SENDGRID_API_URL: must be a URL"),
        (
            {
                "SENDGRID_API_KEY": "SG.x",
                "SMTP_CONNECTION_URI_SENDGRID": "smtps://smtp.sendgrid.net",
                "SMTP_PASSWORD_SENDGRID": "SG.y",
            },
            "SENDGRID_API_KEY: makes a transport named sendgrid, and so does",
        ),
    ],
)
def test_problems(problems: Problems, variables: dict[str, str], line: str) -> None:
    """What is wrong is said by the variable, and never with the key."""
    [found] = problems(**variables)

    assert found.startswith(line)
    assert "SG." not in found

"""Whether the SMTP server lets us in: with a password, or with an access token."""

from __future__ import annotations

import smtplib

from config import access_token, oauth2
from config.access_token import NoAccessToken
from config.checks.finding import TIMEOUT_SECONDS, Finding, Level
from config.oauth2 import OAuth2Client
from config.smtp import SmtpServer


SUBJECT = "SMTP server"


def check(client: smtplib.SMTP, server: SmtpServer) -> list[Finding]:
    """Log in; raises SMTPException or OSError."""
    if server.oauth2 is not None:
        return _with_token(client, server, server.oauth2)
    if server.username is None or server.password is None:
        return []
    client.login(server.username, server.password)
    return [Finding(SUBJECT, Level.OK, "knows the user and its password")]


def advice(server: SmtpServer) -> str:
    """Say where to look when the server refuses us."""
    if server.oauth2 is None:
        return f"check {server.variable} and SMTP_PASSWORD{server.suffix}"
    return (
        "check OAUTH_USER, the scope that REFRESH_TOKEN was made for,"
        " and that the account may use SMTP"
    )


def _with_token(client: smtplib.SMTP, server: SmtpServer, ours: OAuth2Client) -> list[Finding]:
    try:
        token = access_token.fetch(ours, ours.refresh_token, timeout=TIMEOUT_SECONDS)
    except NoAccessToken as error:
        where = "check TOKEN_URL, CLIENT_ID, CLIENT_SECRET and REFRESH_TOKEN"
        return [Finding("OAuth2", Level.FAILED, str(error), where)]
    text = f"{ours.endpoint} gives access tokens, good for {token.seconds / 60:.0f} min"
    _authenticate(client, server, token.value)
    return [
        Finding("OAuth2", Level.OK, text),
        Finding(SUBJECT, Level.OK, f"takes the access token for {server.username}"),
    ]


def _authenticate(client: smtplib.SMTP, server: SmtpServer, token: str) -> None:
    """Log in with a token, which smtplib does not know by itself."""
    user = server.username or ""
    offered = client.esmtp_features.get("auth", "").upper().split()
    responses = {
        "XOAUTH2": (oauth2.xoauth2(user, token), ""),
        "OAUTHBEARER": (oauth2.oauthbearer(user, token, host=server.host, port=server.port), "\1"),
    }
    mechanism = next((name for name in responses if name in offered), None)
    if mechanism is None:
        raise smtplib.SMTPNotSupportedError(f"AUTH {' or '.join(responses)}")
    initial, to_refusal = responses[mechanism]
    client.auth(mechanism, lambda challenge=None: initial if challenge is None else to_refusal)

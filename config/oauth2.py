"""AUTH_TYPE=OAuth2: where access tokens come from, and how SMTP servers are given one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from config import hosts


_GOOGLE = "https://oauth2.googleapis.com/token"
#: For accounts of every tenant, and personal ones; an app of one tenant has its own URL.
_MICROSOFT = "https://login.microsoftonline.com/common/oauth2/v2.0/token"
_PRESETS = {"google": _GOOGLE, "microsoft": _MICROSOFT}
#: The ends of the hosts whose token endpoint is known.
_ENDPOINTS = {
    "gmail.com": _GOOGLE,
    "googlemail.com": _GOOGLE,
    "office365.com": _MICROSOFT,
    "outlook.com": _MICROSOFT,
}
#: Without user and password, fragment, spaces and the like.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:(?P<port>[0-9]{1,5}))?(/[!\"$-~]*)?"
)


@dataclass(frozen=True, slots=True)
class OAuth2Client:
    """Us, as the token endpoint knows us (RFC 6749); the secrets never show in the repr."""

    token_url: str
    client_id: str
    #: None: a public client, which has none.
    client_secret: str | None = field(repr=False)
    refresh_token: str = field(repr=False)

    @property
    def endpoint(self) -> str:
        """The token endpoint's host."""
        return urlsplit(self.token_url).netloc


def token_url(given: str | None, smtp_host: str) -> str:
    """Find TOKEN_URL: a preset, a URL, or by the SMTP server. Raises ValueError."""
    if given is None:
        return _endpoint_of(smtp_host)
    preset = _PRESETS.get(given.lower())
    if preset is not None:
        return preset
    _check(given)
    return given


def xoauth2(user: str, token: str) -> str:
    """Make the initial response of XOAUTH2, which Google and Microsoft document."""
    return f"user={user}\1auth=Bearer {token}\1\1"


def oauthbearer(user: str, token: str, *, host: str, port: int) -> str:
    """Make the initial response of OAUTHBEARER (RFC 7628 section 3.1)."""
    name = user.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4
    return f"n,a={name},\1host={host}\1port={port}\1auth=Bearer {token}\1\1"


def _endpoint_of(smtp_host: str) -> str:
    for end, url in _ENDPOINTS.items():
        if smtp_host == end or smtp_host.endswith(f".{end}"):
            return url
    raise ValueError("is needed: google, microsoft, or the URL of the token endpoint")


def _check(url: str) -> None:
    match = _URL.fullmatch(url)
    if match is None or int(match["port"] or 443) not in range(1, 65536):
        raise ValueError("must be google, microsoft, or a URL that begins with https://")
    if match["scheme"] == "http" and not hosts.is_loopback(match["host"].strip("[]")):
        raise ValueError("must begin with https://: the refresh token would cross the net in clear")

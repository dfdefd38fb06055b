"""SendGrid's Web API: where it is, and the key to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from config import hosts
from config.smtp import SENDGRID_HOST, SmtpServer


API_URL = "https://api.sendgrid.com"
#: What SMTP_CONNECTION_URI would say for a SENDGRID_API_KEY.
URI = f"smtps://apikey@{SENDGRID_HOST}"


@dataclass(frozen=True, slots=True)
class SendGridApi:
    """The API; the key never shows in its repr."""

    url: str
    key: str = field(repr=False)
    #: The setting that holds the key, for errors.
    variable: str = "SENDGRID_API_KEY"

    @property
    def host(self) -> str:
        """Its host, and its port where that is not the usual one."""
        return urlsplit(self.url).netloc

    def at(self, path: str) -> str:
        """Give the URL of one of its paths."""
        return f"{self.url.rstrip('/')}{path}"

    def __str__(self) -> str:
        return self.host


def api_of(server: SmtpServer, url: str) -> SendGridApi | None:
    """Give the API in place of SendGrid's SMTP server, as the Firebase extension does."""
    if server.host != SENDGRID_HOST:
        return None
    return SendGridApi(url, server.password or "", f"SMTP_PASSWORD{server.suffix}")


def check_url(url: str) -> None:
    """Raise ValueError when this is no place for a key."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be a URL that begins with https://")
    if parts.path not in ("", "/") or "@" in parts.netloc or not url.isprintable() or " " in url:
        raise ValueError("must end after the host or port")
    if parts.scheme == "http" and not hosts.is_loopback(parts.hostname):
        raise ValueError("must begin with https://: the key would cross the net in clear")

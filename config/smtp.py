"""SMTP_CONNECTION_URI: which server takes the mails, and how the connection is secured."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from config.hosts import is_loopback, is_name
from config.oauth2 import OAuth2Client


EXAMPLE = "smtps://user@smtp.example.com:465"

#: The key of its Web API is the password.
SENDGRID_HOST = "smtp.sendgrid.net"

#: nodemailer's default ports, so that URIs of the Firebase extension mean the same here.
_DEFAULT_PORTS = {"smtp": 587, "smtps": 465}
_OPTIONS = ("name", "requireTLS")
#: Characters of base64.
_RECOGNISED = 12


class Security(Enum):
    """How the connection is protected."""

    TLS = "tls"  #: TLS from the first byte (`smtps://`)
    REQUIRED = "required"  #: STARTTLS, or no mail
    OPPORTUNISTIC = "opportunistic"  #: STARTTLS when the server offers it


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """One SMTP server; secrets never show in its repr."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    #: The name given to EHLO; None: this machine's.
    client_name: str | None = None
    #: Who gets access tokens, which then take the password's place.
    oauth2: OAuth2Client | None = None
    #: Ends the names of the variables of one among several servers: "_NEWS".
    suffix: str = ""

    @property
    def variable(self) -> str:
        """The setting that names it, for errors."""
        return "OAUTH_HOST" if self.oauth2 is not None else f"SMTP_CONNECTION_URI{self.suffix}"

    def switch(self, security: Security) -> str:
        """Say how to have TLS from the first byte (TLS), or STARTTLS."""
        tls = security is Security.TLS
        if self.oauth2 is not None:
            return "OAUTH_SECURE=true" if tls else "OAUTH_SECURE=false"
        return f"{'smtps' if tls else 'smtp'}:// in {self.variable}"

    @property
    def telltales(self) -> tuple[str, ...]:
        """What gives the password away in words of the server, which may repeat what it is told.

        As it is, and as AUTH LOGIN and AUTH PLAIN say it; of these the beginning is enough.
        """
        if self.password is None:
            return ()
        encoded = (self.password, f"\0{self.username}\0{self.password}")
        return (
            self.password,
            *(base64.b64encode(each.encode()).decode()[:_RECOGNISED] for each in encoded),
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host  # an IPv6 address
        return f"{host}:{self.port}"


def parse(uri: str, password: str | None = None, *, suffix: str = "") -> SmtpServer:
    """Read `smtp[s]://[user[:password]@]host[:port][?requireTLS=true&name=client.example]`.

    User name and password are percent-encoded in the URI. `password` (SMTP_PASSWORD) beats the
    one in the URI. Raises ValueError with a text that never contains the URI's secrets.
    """
    parts = _split(uri.strip())
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("must begin with smtp:// or smtps://")
    if not parts.hostname or not is_name(parts.hostname):
        raise ValueError("has no host name")
    if parts.path not in ("", "/") or parts.fragment or "@" in parts.query:
        raise ValueError("must end after the port; percent-encode / ? # in user and password")
    username = unquote(parts.username) if parts.username else None
    secret = password or (unquote(parts.password) if parts.password else None)
    if username and secret is None:
        raise ValueError(f"names a user, but there is no password: set SMTP_PASSWORD{suffix}")
    if parts.hostname == SENDGRID_HOST:
        if secret is None:
            raise ValueError(f"needs an API key: set SMTP_PASSWORD{suffix}")
        check_key(secret)
        username = username or "apikey"
    elif secret is not None and username is None:
        raise ValueError("has a password, but no user: smtp://user@host")
    options = _options(parts.query)
    return SmtpServer(
        host=parts.hostname,
        port=_port(parts.netloc, parts.scheme),
        security=_security(parts.scheme, parts.hostname, options, with_user=username is not None),
        username=username,
        password=secret,
        client_name=options.get("name"),
        suffix=suffix,
    )


def check_key(key: str) -> None:
    """Raise ValueError when a key cannot stand in a header of HTTP; its text does not hold it."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("has an API key with characters that no key has")


def with_tokens(
    host: str, port: int, *, secure: bool, user: str, client: OAuth2Client
) -> SmtpServer:
    """Make the server of AUTH_TYPE=OAuth2; `secure` as nodemailer's: TLS from the first byte."""
    if secure:
        security = Security.TLS
    else:
        security = Security.OPPORTUNISTIC if is_loopback(host) else Security.REQUIRED
    return SmtpServer(host, port, security, username=user, oauth2=client)


def _split(uri: str) -> SplitResult:
    if not uri.isprintable() or " " in uri:
        raise ValueError("must not hold spaces or control characters; percent-encode them")
    try:
        return urlsplit(uri)
    except ValueError:  # its text holds the user and password
        raise ValueError("is not a URI; percent-encode user and password") from None


def _port(netloc: str, scheme: str) -> int:
    tail = netloc.rpartition("@")[2].rpartition("]")[2]
    text = tail.partition(":")[2]
    if not text:
        return _DEFAULT_PORTS[scheme]
    if not text.isdecimal() or not 0 < int(text) < 65536:  # noqa: PLR2004
        raise ValueError("has a port that is not a number from 1 to 65535")
    return int(text)


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS:
            known = " and ".join(_OPTIONS)
            raise ValueError(f"has the unknown option {name!r}; known: {known}. See TLS_OPTIONS")
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]*", options.get("name", "")):
        raise ValueError("has a name that is no host name")
    if options.get("requireTLS", "true") not in ("true", "false"):
        raise ValueError("has requireTLS with a value other than true or false")
    return options


def _security(scheme: str, host: str, options: dict[str, str], *, with_user: bool) -> Security:
    if scheme == "smtps":
        return Security.TLS
    if "requireTLS" in options:
        required = options["requireTLS"] == "true"
        if with_user and not required and not is_loopback(host):
            raise ValueError("has requireTLS=false: the password would cross the net in clear")
    else:
        required = with_user and not is_loopback(host)
    return Security.REQUIRED if required else Security.OPPORTUNISTIC

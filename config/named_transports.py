"""SMTP_CONNECTION_URI_<NAME> and its kin: further ways for mails to go out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from config import named_variables, sendgrid, smtp
from config.fields import DomainRateLimits, Mailbox, RateLimit, TlsOptionsJson
from config.named_variables import suffix
from config.rates import DomainRates, Rate
from config.sendgrid import SendGridApi
from config.smtp import SmtpServer
from config.tls import TlsOptions


if TYPE_CHECKING:
    from config.settings import Settings


#: The transport of SMTP_CONNECTION_URI.
DEFAULT = "default"
#: That of SENDGRID_API_KEY, beside another default one.
SENDGRID = "sendgrid"
_URI = re.compile(r"SMTP_CONNECTION_URI_(?P<name>.+)")
#: Each ends a variable that means something else.
_TAKEN = {DEFAULT: "SMTP_CONNECTION_URI", "domains": "RATE_LIMIT_DOMAINS"}


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """One way for mails to go out."""

    name: str
    server: SmtpServer | SendGridApi
    tls: TlsOptions
    default_from: str
    rate_limit: Rate | None = None
    rate_limit_domains: DomainRates | None = None


class NamedTransport(BaseModel):
    """What the variables of one name say; the fields' names and the transport's make theirs."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    smtp_password: SecretStr | None = None
    smtp_connection_uri: SecretStr = Field(examples=[smtp.EXAMPLE])
    tls_options: TlsOptionsJson = Field(default=TlsOptions(), examples=['{"ca": "/ours.pem"}'])
    default_from: Mailbox | None = Field(default=None, examples=["News <news@example.com>"])
    rate_limit: RateLimit = Field(default=None, examples=["14/second"])
    rate_limit_domains: DomainRateLimits = Field(default=None, examples=["gmail.com=20/minute"])

    def settings(self, name: str, common: Settings) -> TransportSettings:
        """Complete them by what holds for all."""
        smtp_server = _server(self, name)
        server = sendgrid.api_of(smtp_server, common.sendgrid_api_url) or smtp_server
        sender = self.default_from or common.default_from
        domains = self.rate_limit_domains or common.rate_limit_domains
        return TransportSettings(name, server, self.tls_options, sender, self.rate_limit, domains)


def read(given: Mapping[str, str]) -> tuple[dict[str, NamedTransport], list[str]]:
    """Find the transports among variables (in upper case); also one line for each problem."""
    found: dict[str, NamedTransport] = {}
    problems: list[str] = []
    for variable in sorted(given):
        match = _URI.fullmatch(variable)
        if match is None:
            continue
        name = match["name"].lower()
        if fault := _fault(name):
            problems.append(f"{variable}: {fault}.")
            continue
        named = named_variables.read(NamedTransport, name, given)
        if not isinstance(named, NamedTransport):
            problems += named
            continue
        problems += (faults_of_uri := _faults_of_uri(named, name))
        if not faults_of_uri:
            found[name] = named
    return found, problems


def names(text: str) -> list[str]:
    """Take a list of names apart: "backup, other"."""
    return [name for name in (each.strip().lower() for each in text.split(",")) if name]


def faults(transports: Sequence[str], fallback: Iterable[str]) -> list[str]:
    """Say what is wrong with the names of all transports, and with TRANSPORT_FALLBACK."""
    found = [
        f"TRANSPORT_FALLBACK: names {name}, but SMTP_CONNECTION_URI{suffix(name)} is not set."
        for name in fallback
        if name not in transports
    ]
    if transports.count(SENDGRID) > 1:
        found.append(
            "SENDGRID_API_KEY: makes a transport named sendgrid, and so does"
            f" SMTP_CONNECTION_URI{suffix(SENDGRID)}: set one of them."
        )
    return found


def _fault(name: str) -> str | None:
    if name in _TAKEN:
        return f"cannot be a transport of its own: {_TAKEN[name]} has that name"
    return named_variables.fault(name)


def _server(named: NamedTransport, name: str) -> SmtpServer:
    password = named.smtp_password.get_secret_value() if named.smtp_password else None
    uri = named.smtp_connection_uri.get_secret_value()
    return smtp.parse(uri, password, suffix=suffix(name))


def _faults_of_uri(named: NamedTransport, name: str) -> list[str]:
    try:
        _server(named, name)
    except ValueError as error:
        variable = f"SMTP_CONNECTION_URI{suffix(name)}"
        return [f"{variable}: {error}. Example: {variable}={smtp.EXAMPLE}"]
    return []

"""Which rate limits hold for a mail: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.named_transports import DEFAULT, TransportSettings
from config.named_variables import suffix
from config.rates import DomainRates, Rate
from config.settings import Settings
from tasks.limits import keys


#: Between a slot's time and the server there is a network and a scheduler. A window is so much
#: longer for us than for whoever counts at the server: a share of it, and seconds at most.
_STRETCH, _LONGEST_STRETCH = 0.025, 0.5
#: In windows of so many seconds, one of so many mails is kept for high priority.
_LONG, _RESERVE_OF = 60, 25


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate limit, and how Redis keeps it."""

    name: str
    rate: Rate
    #: Before the names of its keys in Redis.
    prefix: str
    #: Whose it is, for a person.
    setting: str = "RATE_LIMIT"

    @property
    def tolerance(self) -> float:
        """Seconds a mail may reach the server later than usual without breaking the limit."""
        return min(self.rate.seconds * _STRETCH, _LONGEST_STRETCH)

    @property
    def window(self) -> float:
        """Seconds in which there are no more than `rate.count` slots."""
        return self.rate.seconds + self.tolerance

    @property
    def reserve(self) -> int:
        """Mails of a long window that are kept for high priority.

        Else a burst of others, which the limit of a day does not keep from going out in an hour,
        would leave nothing for the rest of the day.
        """
        return self.rate.count // _RESERVE_OF if self.rate.seconds >= _LONG else 0

    @property
    def interval(self) -> float:
        """Seconds between two turns: a little too few, so that no slot waits for its mail."""
        return self.rate.seconds / (self.rate.count - self.reserve)

    @property
    def log(self) -> str:
        """The key of the slots."""
        return f"{self.prefix}{self.name}:log"

    @property
    def line(self) -> str:
        """The key of the turns; those of another rate count for nothing."""
        return f"{self.prefix}{self.name}:line:{self.rate.count}:{self.rate.seconds}"


class Limits:
    """All of them, as the settings have them."""

    def __init__(self, settings: Settings) -> None:
        prefix, transports = settings.broker_prefix, settings.transports
        common = settings.rate_limit_domains
        self._transports = {
            each.name: (_of_transport(each, each.rate_limit, prefix),)
            for each in transports
            if each.rate_limit is not None
        }
        self._domains = {
            each.name: _of_domains(each, each.rate_limit_domains, prefix, common)
            for each in transports
            if each.rate_limit_domains is not None
        }

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._transports or self._domains)

    @property
    def transport(self) -> Limit | None:
        """The one that holds for every mail of the default transport."""
        return next(iter(self._transports.get(DEFAULT, ())), None)

    def of(self, recipients: Iterable[str], transport: str = DEFAULT) -> Sequence[Limit]:
        """Give those that hold for a mail, each once."""
        always, domains = self._transports.get(transport, ()), self._domains.get(transport)
        if domains is None:
            return always
        found = (domains.get(domain) for domain in domains_of(recipients))
        return (*always, *(limit for limit in found if limit))


def _of_transport(transport: TransportSettings, rate: Rate, key_prefix: str) -> Limit:
    prefix = keys.limit(key_prefix, "transport")
    return Limit(transport.name, rate, prefix, _variable("RATE_LIMIT", transport))


def _of_domains(
    transport: TransportSettings, domains: DomainRates, key_prefix: str, common: DomainRates | None
) -> dict[str, Limit]:
    """Count for each transport: a domain counts the mails of the server that it sees."""
    kind = "domain" if transport.name == DEFAULT else f"domain:{transport.name}"
    prefix, variable = keys.limit(key_prefix, kind), "RATE_LIMIT_DOMAINS"
    if domains != common:
        variable = _variable(variable, transport)
    return {name: Limit(name, rate, prefix, f"{variable}: {name}") for name, rate in domains.rates}


def _variable(name: str, transport: TransportSettings) -> str:
    return name if transport.name == DEFAULT else f"{name}{suffix(transport.name)}"


def domains_of(recipients: Iterable[str]) -> list[str]:
    """Give the domains of addresses, each once; the addresses have them in ASCII."""
    return list(dict.fromkeys(each.rpartition("@")[2].lower() for each in recipients))

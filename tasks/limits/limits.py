"""Which rate limits hold for a mail: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.named_transports import DEFAULT, suffix
from config.rates import Rate
from config.settings import Settings
from tasks.limits import keys


#: Between a slot's time and the server there is a network and a scheduler. A window is so much
#: longer for us than for whoever counts at the server: a share of it, and seconds at most.
_STRETCH, _LONGEST_STRETCH = 0.025, 0.5


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
    def interval(self) -> float:
        """Seconds between two turns: a little too few, so that no slot waits for its mail."""
        return self.rate.seconds / self.rate.count

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
        transport, domain = (
            keys.limit(settings.broker_prefix, kind) for kind in ("transport", "domain")
        )
        self._transports = {
            each.name: (Limit(each.name, each.rate_limit, transport, _variable(each.name)),)
            for each in settings.transports
            if each.rate_limit is not None
        }
        domains = settings.rate_limit_domains
        self._domains = {
            name: Limit(name, rate, domain, f"RATE_LIMIT_DOMAINS: {name}")
            for name, rate in (domains.rates if domains else ())
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
        always = self._transports.get(transport, ())
        if not self._domains:
            return always
        found = (self._domains.get(domain) for domain in domains_of(recipients))
        return (*always, *(limit for limit in found if limit))


def _variable(transport: str) -> str:
    return "RATE_LIMIT" if transport == DEFAULT else f"RATE_LIMIT{suffix(transport)}"


def domains_of(recipients: Iterable[str]) -> list[str]:
    """Give the domains of addresses, each once; the addresses have them in ASCII."""
    return list(dict.fromkeys(each.rpartition("@")[2].lower() for each in recipients))

"""Which rate limits hold for a mail: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.rates import Rate
from config.settings import Settings
from tasks.limits import keys
from tasks.limits.keys import TRANSPORT


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
        rate, domains = settings.rate_limit, settings.rate_limit_domains
        transport, domain_prefix = (
            keys.limit(settings.broker_prefix, kind) for kind in ("transport", "domain")
        )
        self._always = (Limit(TRANSPORT, rate, transport),) if rate else ()
        self._domains = {
            domain: Limit(domain, rate, domain_prefix)
            for domain, rate in (domains.rates if domains else ())
        }

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._always or self._domains)

    @property
    def transport(self) -> Limit | None:
        """The one that holds for every mail."""
        return self._always[0] if self._always else None

    def of(self, recipients: Iterable[str]) -> Sequence[Limit]:
        """Give those that hold for a mail, each once."""
        if not self._domains:
            return self._always
        found = (self._domains.get(domain) for domain in domains_of(recipients))
        return (*self._always, *(limit for limit in found if limit))


def domains_of(recipients: Iterable[str]) -> list[str]:
    """Give the domains of addresses, each once; the addresses have them in ASCII."""
    return list(dict.fromkeys(each.rpartition("@")[2].lower() for each in recipients))

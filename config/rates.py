"""RATE_LIMIT, RATE_LIMIT_DOMAINS: how many mails in what time."""

from __future__ import annotations

import re
from dataclasses import dataclass

import idna


_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_SHAPE = re.compile(r"([0-9]{1,9})\s*/\s*(?:([0-9]{1,9})\s*)?(second|minute|hour|day)s?")
#: Redis keeps 10 bytes for each of these mails.
_MOST_MAILS = 1_000_000
_LONGEST_DAYS = 31
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` mails in any `seconds` that follow each other."""

    count: int
    seconds: int

    def __str__(self) -> str:
        unit = next(name for name in reversed(_UNITS) if self.seconds % _UNITS[name] == 0)
        times = self.seconds // _UNITS[unit]
        return f"{self.count}/{unit}" if times == 1 else f"{self.count}/{times} {unit}s"


@dataclass(frozen=True, slots=True)
class DomainRates:
    """The rates of some recipient domains, each once."""

    rates: tuple[tuple[str, Rate], ...] = ()

    def __str__(self) -> str:
        return ", ".join(f"{domain}={rate}" for domain, rate in self.rates)


def parse(text: str) -> Rate:
    """Read "14/second" or "100/10 minutes"; raises ValueError."""
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a number of mails per second, minute, hour or day")
    count, times = int(match[1]), int(match[2] or 1)
    if not 1 <= count <= _MOST_MAILS:
        raise ValueError(f"must be from 1 to {_MOST_MAILS} mails")
    seconds = times * _UNITS[match[3]]
    if not 1 <= seconds <= _LONGEST_DAYS * _UNITS["day"]:
        raise ValueError(f"must be in a time from 1 second to {_LONGEST_DAYS} days")
    return Rate(count, seconds)


def parse_domains(text: str) -> DomainRates:
    """Read "gmail.com=20/minute, outlook.com=5/second"; raises ValueError."""
    rates: dict[str, Rate] = {}
    for item in text.split(","):
        name, equals, rate = item.partition("=")
        if not equals:
            raise ValueError("must be domain=rate, several with commas between")
        domain = _domain(name.strip())
        if domain in rates:
            raise ValueError(f"names {domain} twice")
        try:
            rates[domain] = parse(rate)
        except ValueError as error:
            raise ValueError(f"has a rate for {domain} that {error}") from None
    return DomainRates(tuple(rates.items()))


def _domain(name: str) -> str:
    """Write a domain as recipients' addresses have it: in ASCII, lower case."""
    try:
        ascii_ = name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        ascii_ = ""
    domain = ascii_.lower()
    if not _DOMAIN.fullmatch(domain):
        raise ValueError("has something before an = that is no domain")
    return domain

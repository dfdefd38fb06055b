"""DKIM_DOMAIN_<NAME> and its kin: keys for further domains, or a second one for a domain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from config import dkim, named_variables
from config.dkim import DkimKey
from config.fields import DkimDomain, DkimSelector, PrivateKeyPem


_VARIABLE = re.compile(r"DKIM_(DOMAIN|SELECTOR|PRIVATE_KEY)_(?P<name>.+)")


class NamedDkimKey(BaseModel):
    """What the variables of one name say."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    dkim_domain: DkimDomain = Field(examples=["news.example.com"])
    dkim_selector: DkimSelector = Field(examples=["mail2026"])
    dkim_private_key: PrivateKeyPem = Field(examples=["/etc/mailtrigger/dkim.pem"])

    def key(self) -> DkimKey:
        """Read the key."""
        return make(self.dkim_domain, self.dkim_selector, self.dkim_private_key)


def make(domain: str, selector: str, private_key: SecretStr) -> DkimKey:
    """Make a key of three settings that were checked."""
    return dkim.make(domain, selector, private_key.get_secret_value())


def read(given: Mapping[str, str]) -> tuple[dict[str, NamedDkimKey], list[str]]:
    """Find the keys among variables (in upper case); also one line for each problem."""
    found: dict[str, NamedDkimKey] = {}
    problems: list[str] = []
    for name, variable in _names(given).items():
        if fault := named_variables.fault(name):
            problems.append(f"{variable}: {fault}.")
            continue
        named = named_variables.read(NamedDkimKey, name, given)
        if isinstance(named, NamedDkimKey):
            found[name] = named
        else:
            problems += named
    return found, problems


def faults(keys: Iterable[DkimKey]) -> list[str]:
    """Say which keys would have the same place in the DNS."""
    places = [f"{key.selector.lower()}._domainkey.{key.domain}" for key in keys]
    twice = sorted({place for place in places if places.count(place) > 1})
    return [
        f"DKIM_SELECTOR: two keys have the same place in the DNS, {place}:"
        " give each a selector of its own."
        for place in twice
    ]


def _names(given: Mapping[str, str]) -> dict[str, str]:
    """Give each name, and the first variable that has it."""
    names: dict[str, str] = {}
    for variable in sorted(given):
        if match := _VARIABLE.fullmatch(variable):
            names.setdefault(match["name"].lower(), variable)
    return names

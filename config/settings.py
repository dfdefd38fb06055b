"""Every setting, read once from the environment and `.env`, frozen, secrets hidden."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Mapping

from pydantic import PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from config import dkim_keys, env_file, errors, named_transports, named_variables, transports
from config.dkim import DkimKey
from config.dkim_keys import NamedDkimKey
from config.errors import BadSettings
from config.groups.amounts import Amounts
from config.groups.mails import Mails
from config.groups.places import Places
from config.groups.servers import Servers
from config.groups.sessions import Sessions
from config.groups.telling import Telling
from config.groups.times import Times
from config.named_transports import NamedTransport, TransportSettings
from config.smtp import SmtpServer


# pydantic takes the fields of the last base first: so they stand here from the last to the first,
# and are checked, shown and reported in the order of the documentation.
class Settings(Telling, Sessions, Amounts, Times, Mails, Servers, Places, BaseSettings):
    """One attribute per environment variable; `.env.example` and docs/settings.md explain each.

    Raises pydantic.ValidationError; `load` turns that into one line per variable.
    """

    model_config = SettingsConfigDict(
        env_file=env_file.NAME,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    #: Not variables of fixed names, so no fields; see `load`.
    _named: dict[str, NamedTransport] = PrivateAttr(default_factory=dict)
    _dkim: dict[str, NamedDkimKey] = PrivateAttr(default_factory=dict)

    @property
    def smtp_server(self) -> SmtpServer:
        """The server of SMTP_CONNECTION_URI, or of OAUTH_HOST."""
        return transports.smtp_server(self)

    @property
    def transports(self) -> list[TransportSettings]:
        """All the ways mails can go out; the default one first."""
        return transports.all_of(self)

    @property
    def fallback(self) -> tuple[str, ...]:
        """TRANSPORT_FALLBACK, taken apart."""
        return tuple(named_transports.names(self.transport_fallback or ""))

    @property
    def named(self) -> Mapping[str, NamedTransport]:
        """The transports of SMTP_CONNECTION_URI_<NAME>."""
        return self._named

    @property
    def named_dkim(self) -> Mapping[str, NamedDkimKey]:
        """What DKIM_DOMAIN_<NAME> and its kin say."""
        return self._dkim

    @property
    def named_variables(self) -> set[str]:
        """The variables that those of a name may have."""
        return _variables(self._named, self._dkim)

    def dkim_keys(self) -> list[DkimKey]:
        """Read all keys that sign mails."""
        keys = [each.key() for each in self._dkim.values()]
        if self.dkim_domain and self.dkim_selector and self.dkim_private_key:
            pem = self.dkim_private_key
            keys.insert(0, dkim_keys.make(self.dkim_domain, self.dkim_selector, pem))
        return keys


def _variables(transports: Iterable[str], keys: Iterable[str]) -> set[str]:
    of_transports = named_variables.all_of(NamedTransport, transports)
    return of_transports | named_variables.all_of(NamedDkimKey, keys)


@functools.cache
def load() -> Settings:
    """Read the settings of this process; the same object for every caller.

    Raises BadSettings with one line for each problem.
    """
    problems = env_file.problems()
    if problems:
        raise BadSettings(problems)
    named, lines = named_transports.read(env_file.variables())
    keys, of_keys = dkim_keys.read(env_file.variables())
    lines += of_keys
    try:
        ours = Settings()
    except ValidationError as error:
        unknown = env_file.names_set() - _variables(named, keys)
        lines = [*errors.lines(error, Settings.model_fields, unknown), *lines]
        raise BadSettings(lines) from None
    if not lines:
        ours._named.update(named)  # noqa: SLF001 - a part of the class
        ours._dkim.update(keys)  # noqa: SLF001
        lines = named_transports.faults([each.name for each in ours.transports], ours.fallback)
        lines += dkim_keys.faults(ours.dkim_keys())
    if lines:
        raise BadSettings(lines)
    return ours


def load_or_exit() -> Settings:
    """Read the settings, or print one line per problem to stderr and leave with code 78.

    A variable that looks like a misspelt one gets a line, too: without it a limit would not hold.
    """
    try:
        ours = load()
    except BadSettings as error:
        print(*error.problems, sep="\n", file=sys.stderr)  # noqa: T201
        raise SystemExit(errors.EXIT_CODE) from None
    _name_misspelt()
    return ours


@functools.cache
def _name_misspelt() -> None:
    """Say it once: the application and its process both read the settings."""
    unknown = env_file.names_set() - load().named_variables
    for name, meant in errors.misspelt(unknown, Settings.model_fields).items():
        print(f"{name} is set, but no such setting exists: {meant}?", file=sys.stderr)  # noqa: T201

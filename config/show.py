"""The settings as they may be shown: secrets masked, with their origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from config import env_file, mongodb_uri
from config.logs import redact
from config.settings import Settings


_MASK = "***"
_HIDDEN: dict[str, Callable[[str], str]] = {
    "mongodb_uri": mongodb_uri.hidden,
    "celery_broker_url": redact,
    "smtp_connection_uri": redact,
    "smtp_password": lambda _: _MASK,
    "client_secret": lambda _: _MASK,
    "refresh_token": lambda _: _MASK,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting: the variable, its value as it would stand in `.env`, and where it came from."""

    variable: str
    value: str
    source: str


def rows(settings: Settings) -> list[Shown]:
    """Every setting, in the order of the documentation."""
    return [
        Shown(name.upper(), value(settings, name), env_file.source(name.upper()))
        for name in Settings.model_fields
    ]


def value(settings: Settings, name: str) -> str:
    """One setting as text; an unset one is empty."""
    raw = getattr(settings, name)
    if raw is None:
        return settings.database if name == "mongodb_database" else ""
    if name in _HIDDEN:
        return _HIDDEN[name](raw.get_secret_value())
    if name == "tls_options":
        return settings.tls_options.model_dump_json(by_alias=True, exclude_defaults=True)
    return f"{raw:.15g}" if isinstance(raw, float) else str(raw)

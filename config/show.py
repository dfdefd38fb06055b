"""The settings as they may be shown: secrets masked, with their origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from config import env_file, mongodb_uri
from config.logs import redact
from config.named_variables import suffix
from config.settings import Settings
from config.tls import TlsOptions


_MASK = "***"
_HIDDEN: dict[str, Callable[[str], str]] = {
    "mongodb_uri": mongodb_uri.hidden,
    "celery_broker_url": redact,
    "smtp_connection_uri": redact,
    "smtp_password": lambda _: _MASK,
    "sendgrid_api_key": lambda _: _MASK,
    "client_secret": lambda _: _MASK,
    "refresh_token": lambda _: _MASK,
    # A path, else: it was read.
    "dkim_private_key": lambda text: _MASK if "-----BEGIN" in text else text,
    "events_secret": lambda _: _MASK,
    "events_url": redact,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting: the variable, its value as it would stand in `.env`, and where it came from."""

    variable: str
    value: str
    source: str


def rows(settings: Settings) -> list[Shown]:
    """Every setting, in the order of the documentation."""
    fixed = [_shown(name.upper(), value(settings, name)) for name in Settings.model_fields]
    named = [
        _shown(f"{field.upper()}{suffix(name)}", _text(field, raw))
        for name, group in (*settings.named.items(), *settings.named_dkim.items())
        for field, raw in group
        if field in group.model_fields_set
    ]
    return fixed + named


def value(settings: Settings, name: str) -> str:
    """One setting as text; an unset one is empty."""
    if name == "mongodb_database":
        return settings.database
    return _text(name, getattr(settings, name))


def _shown(variable: str, value: str) -> Shown:
    return Shown(variable, value, env_file.source(variable))


def _text(name: str, raw: Any) -> str:
    if raw is None:
        return ""
    if name in _HIDDEN:
        return _HIDDEN[name](raw.get_secret_value())
    if isinstance(raw, TlsOptions):
        return raw.model_dump_json(by_alias=True, exclude_defaults=True)
    return f"{raw:.15g}" if isinstance(raw, float) else str(raw)

"""The console's settings: on loopback unless whoever comes must show a password."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config import env_file, errors
from config.errors import BadSettings
from config.hosts import is_loopback


LOOPBACK = "127.0.0.1"
#: Whoever can reach the page may try a few passwords a minute, for years.
_SHORTEST_PASSWORD = 8

_REMEDY = "and no password is asked for. Set CONSOLE_PASSWORD, or leave CONSOLE_HOST out"


class ConsoleSettings(BaseSettings):
    """The CONSOLE_* variables, and where Flower is; `.env.example` explains each."""

    model_config = SettingsConfigDict(
        env_file=env_file.NAME,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    console_password: SecretStr | None = Field(default=None, examples=["a-long-password"])
    console_host: str = Field(default=LOOPBACK, validate_default=True, examples=[LOOPBACK])
    console_port: Annotated[int, Field(ge=1, le=65_535)] = Field(default=5556, examples=["5556"])
    #: As a browser reaches it; for links.
    flower_url: str | None = Field(default=None, examples=["http://127.0.0.1:5555"])

    @property
    def password(self) -> str | None:
        """What opens the console; None: it is open, to this machine only."""
        return self.console_password.get_secret_value() if self.console_password else None

    @field_validator("console_password")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_PASSWORD:
            raise ValueError(f"must have at least {_SHORTEST_PASSWORD} characters")
        return value

    @field_validator("console_host")
    @classmethod
    def _closed_to_others(cls, value: str, info: ValidationInfo) -> str:
        # A password that was refused stands in no data: its own line says what to do.
        is_open = "console_password" in info.data and info.data["console_password"] is None
        if is_open and not is_loopback(value):
            raise ValueError(f"{value} can be reached from other machines, {_REMEDY}")
        return value

    @field_validator("flower_url")
    @classmethod
    def _is_a_web_address(cls, value: str | None) -> str | None:
        """Anything else (javascript:) would be run by a click."""
        try:
            parts = urlsplit(value or "")
        except ValueError:
            raise ValueError("is no URL") from None
        if value is not None and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must be http:// or https:// and a host")
        return value.rstrip("/") if value else None


def load() -> ConsoleSettings:
    """Read them; raises BadSettings."""
    try:
        return ConsoleSettings()
    except ValidationError as error:
        lines = errors.lines(error, ConsoleSettings.model_fields, env_file.names_set())
        raise BadSettings(lines) from None

"""Flower's settings: on loopback unless whoever comes must show credentials.

Flower 2.2 takes an option from the environment (FLOWER_*), then from flowerconfig.py, then from
the command line; the later one wins. What is computed here stands in flowerconfig.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config import env_file, errors
from config.errors import BadSettings
from config.hosts import is_loopback


_REMEDY = (
    "and no credentials are asked for."
    " Set FLOWER_BASIC_AUTH=user:password, or leave FLOWER_ADDRESS out"
)


class FlowerSettings(BaseSettings):
    """The FLOWER_* variables that `.env.example` explains; Flower itself reads all its others."""

    model_config = SettingsConfigDict(
        env_file=env_file.NAME,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    flower_address: str | None = Field(default=None, examples=["127.0.0.1"])
    flower_port: Annotated[int, Field(ge=1, le=65_535)] = Field(default=5555, examples=["5555"])
    #: `user:password`, or several with commas between.
    flower_basic_auth: SecretStr | None = Field(default=None, examples=["ops:a-long-password"])
    #: Signs the cookies; unset: a new one at each start.
    flower_cookie_secret: SecretStr | None = None

    @field_validator("flower_basic_auth")
    @classmethod
    def _pairs(cls, value: SecretStr | None) -> SecretStr | None:
        for pair in _split(value):
            user, colon, password = pair.partition(":")
            if not (user and colon and password):
                raise ValueError("must be user:password")
        return value


def load() -> FlowerSettings:
    """Read them; raises BadSettings."""
    try:
        return FlowerSettings()
    except ValidationError as error:
        lines = errors.lines(error, FlowerSettings.model_fields, env_file.names_set())
        raise BadSettings(lines) from None


def options(settings: FlowerSettings, given: Mapping[str, Any]) -> dict[str, Any]:
    """What flowerconfig.py says.

    `given`: Flower's own options as they are now, from the environment and the command line.
    Raises BadSettings when it would listen beyond this machine without asking for credentials.
    """
    credentials = _split(settings.flower_basic_auth) or [p for p in given["basic_auth"] or [] if p]
    address = given["address"] or settings.flower_address or "127.0.0.1"
    protected = bool(credentials or given["auth"] or given["unix_socket"])
    if not protected and not is_loopback(address):
        problem = f"FLOWER_ADDRESS: {address} can be reached from other machines, {_REMEDY}"
        raise BadSettings([problem])
    chosen = {"address": address, "port": settings.flower_port, "basic_auth": credentials}
    if settings.flower_cookie_secret is not None:
        chosen["cookie_secret"] = settings.flower_cookie_secret.get_secret_value()
    return chosen


def _split(value: SecretStr | None) -> list[str]:
    return value.get_secret_value().split(",") if value else []

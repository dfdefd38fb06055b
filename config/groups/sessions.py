"""Conversations with a server, and logs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from config.fields import LogLevel, Seconds
from config.groups.times import DEFAULT_LEASE_SECONDS


_DEFAULT_SMTP_TIMEOUT_SECONDS = 20.0


def _smtp_timeout(earlier: dict[str, Any]) -> float:
    lease: float = earlier.get("lease_seconds", DEFAULT_LEASE_SECONDS)
    return min(_DEFAULT_SMTP_TIMEOUT_SECONDS, lease / 3)


class Sessions(BaseModel):
    """SMTP_TIMEOUT_SECONDS to LOG_FORMAT."""

    #: The longest wait for one reply of the server; the whole attempt is bounded by the lease.
    smtp_timeout_seconds: Seconds = Field(default_factory=_smtp_timeout, examples=["3"])
    #: Connections unused for longer are closed: most servers drop theirs after 60 s or more.
    smtp_idle_seconds: Seconds = Field(default=30, examples=["30"])
    smtp_max_messages: Annotated[int, Field(ge=1)] = Field(default=1000, examples=["1000"])

    # Logs.
    log_level: LogLevel = Field(default="INFO", examples=["INFO"])
    log_format: Literal["auto", "json", "console"] = Field(default="auto", examples=["json"])

    @field_validator("smtp_timeout_seconds")
    @classmethod
    def _shorter_than_the_lease(cls, value: float, info: ValidationInfo) -> float:
        lease = info.data.get("lease_seconds")
        if lease is not None and value >= lease:
            raise ValueError(f"must be less than LEASE_SECONDS ({lease:g})")
        return value

"""How long things last: finished mails, leases, and the time between attempts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator


#: As fixed lengths: `delivery.expireAt` is plain arithmetic, the same for every document.
_TTL_UNITS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
_MAX_TTL = timedelta(days=36_500)

DEFAULT_LEASE_SECONDS = 60.0


class Times(BaseModel):
    """TTL_EXPIRE_TYPE to SWEEP_SECONDS."""

    ttl_expire_type: Literal["never", "hour", "day", "week", "month", "year"] = Field(
        default="never", examples=["week"]
    )
    ttl_expire_value: Annotated[int, Field(ge=1)] = Field(default=1, examples=["1"])
    lease_seconds: Annotated[float, Field(ge=5, le=3600)] = Field(
        default=DEFAULT_LEASE_SECONDS, examples=["60"]
    )
    lease_expired: Literal["error", "retry"] = Field(default="error", examples=["error"])
    #: 1: no automatic retry, as in the Firebase extension.
    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(default=1, examples=["5"])
    retry_base_seconds: Annotated[float, Field(ge=0.1, le=86_400)] = Field(
        default=30, examples=["30"]
    )
    retry_max_seconds: Annotated[float, Field(ge=0.1, le=604_800)] = Field(
        default=3600, examples=["3600"]
    )
    sweep_seconds: Annotated[float, Field(ge=0.1, le=600)] = Field(default=5, examples=["5"])

    @property
    def ttl(self) -> timedelta | None:
        """How long after its end (SUCCESS or ERROR) a mail is deleted; None: never.

        A month is 30 days, a year 365.
        """
        unit = _TTL_UNITS.get(self.ttl_expire_type)
        return None if unit is None else unit * self.ttl_expire_value

    @field_validator("ttl_expire_value")
    @classmethod
    def _within_a_century(cls, value: int, info: ValidationInfo) -> int:
        unit = _TTL_UNITS.get(info.data.get("ttl_expire_type", "never"))
        if unit is not None and value > _MAX_TTL / unit:
            raise ValueError(f"must not be more than {_MAX_TTL.days} days in all")
        return value

"""How much at once, how much in what time, and when to leave a server in peace."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from config.fields import DomainRateLimits, Pool, RateLimit


class Amounts(BaseModel):
    """BATCH_SIZE to CIRCUIT_SECONDS."""

    batch_size: Annotated[int, Field(ge=1, le=1000)] = Field(default=50, examples=["50"])
    queue_limit: Annotated[int, Field(ge=1)] = Field(default=50_000, examples=["50000"])
    #: bulk: one write for a group; each: a findOneAndUpdate for every mail, the same conditions.
    claim: Literal["each", "bulk"] = Field(default="bulk", examples=["each"])
    worker_pool: Pool = Field(default="threads", examples=["threads"])
    worker_concurrency: Annotated[int, Field(ge=1, le=512)] = Field(default=16, examples=["16"])

    # How much in what time, and when to leave a server in peace.
    rate_limit: RateLimit = Field(default=None, examples=["14/second"])
    rate_limit_domains: DomainRateLimits = Field(
        default=None, examples=["gmail.com=20/minute, outlook.com=5/second"]
    )
    #: Connections in a row that could not be had; 0: no circuit breaker.
    circuit_failures: Annotated[int, Field(ge=0, le=1000)] = Field(default=5, examples=["5"])
    #: The longest time between two tries while it is open.
    circuit_seconds: Annotated[float, Field(ge=1, le=3600)] = Field(default=30, examples=["30"])

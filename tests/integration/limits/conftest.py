"""Redis for tests of limits and troubles: the broker's, with a key prefix of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from config import rates
from config.settings import Settings
from tasks.limits.connect import connect
from tasks.limits.limits import Limit, Limits


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    """As workers have it."""
    with connect(settings) as connected:
        yield connected


def limits_of(settings: Settings, rate: str | None = None, domains: str | None = None) -> Limits:
    """Make the limits of RATE_LIMIT and RATE_LIMIT_DOMAINS."""
    changes: dict[str, Any] = {
        "rate_limit": rates.parse(rate) if rate else None,
        "rate_limit_domains": rates.parse_domains(domains) if domains else None,
    }
    return Limits(settings.model_copy(update=changes))


def limit_of(settings: Settings, rate: str) -> Limit:
    """Make the limit that holds for every mail."""
    limit = limits_of(settings, rate).transport
    assert limit is not None
    return limit

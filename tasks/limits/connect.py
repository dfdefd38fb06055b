"""The Redis client of limits and troubles; the broker's own is Celery's."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import broker_url
from config.settings import Settings


#: Seconds. Who asks has mails in hand, and does without the answer.
_PATIENCE = 1.0


def connect(settings: Settings) -> redis.Redis:
    """Make a client for all threads of a process; it connects with the first command."""
    return redis.Redis.from_url(
        broker_url.for_driver(settings.celery_broker_url.get_secret_value()),
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        # Once more at once, for a connection that died while it was idle.
        retry=Retry(NoBackoff(), 1),
    )

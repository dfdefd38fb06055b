"""How much waits in the broker, and since when: read straight from Redis."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


#: Header of a message: when its ids were enqueued, in milliseconds since 1970 by MongoDB's clock.
ENQUEUE_TIME = "enqueueTime"


@dataclass(frozen=True, slots=True)
class Backlog:
    """One queue. `oldest`: when the message that is next was enqueued; None when it is empty."""

    messages: int
    oldest: datetime | None


def read(client: Any, queue: str, prefix: str) -> Backlog:
    """Look at a queue through the redis-py client of a kombu channel.

    That client puts `global_keyprefix` before the key of LLEN, but not of LINDEX. kombu pushes on
    the left of the list; workers pop on the right. Raises redis.RedisError.
    """
    messages = int(client.llen(queue))
    oldest = client.lindex(f"{prefix}{queue}", -1) if messages else None
    return Backlog(messages, _enqueue_time(oldest) if oldest else None)


def _enqueue_time(message: bytes) -> datetime:
    """Read the header; a message of someone else's counts as very old, so nothing seems lost."""
    try:
        milliseconds = int(json.loads(message)["headers"][ENQUEUE_TIME])
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)

"""The queues, the workers, and Redis' clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from redis.exceptions import RedisError

from config import broker_url
from config.checks.finding import TIMEOUT_SECONDS, Finding, Level
from config.logs import redact
from config.settings import Settings
from tasks.backlog import Backlog
from tasks.doctor import store
from tasks.lanes import Lane


#: Seconds in which workers answer; one that is busy answers all the same.
_ANSWER = 2.0
#: A batch that waits longer: the workers do not keep up, or none takes this queue.
_LONG = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Door:
    """What Celery is asked: how much waits in a lane, who answers within some seconds.

    Both may raise one of `errors`.
    """

    waiting: Callable[[Lane], Backlog]
    workers: Callable[[float], list[str]]
    errors: tuple[type[Exception], ...]


def check(settings: Settings, door: Door) -> list[Finding]:
    """Find out, writing nothing but the question to the workers."""
    client = redis.Redis.from_url(
        broker_url.for_driver(settings.celery_broker_url.get_secret_value()),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    try:
        seconds, microseconds = client.time()
    except (RedisError, OSError):
        return []  # config.checks has said so
    finally:
        client.close()
    now = datetime.fromtimestamp(seconds + microseconds / 1e6, UTC)
    found = [store.clock("Redis", now)]
    try:
        return [*found, *(_queue(door, lane, now) for lane in Lane), _workers(door)]
    except door.errors as error:
        text = f"does not answer Celery: {redact(str(error))}"
        return [*found, Finding("Broker", Level.FAILED, text)]


def _queue(door: Door, lane: Lane, now: datetime) -> Finding:
    backlog = door.waiting(lane)
    subject = f"Queue {lane.queue}"
    if backlog.oldest is None:
        return Finding(subject, Level.OK, "empty")
    age = max(now - backlog.oldest, timedelta())
    text = f"{backlog.messages:,} batches, the first for {age.total_seconds():.0f} s"
    if age <= _LONG:
        return Finding(subject, Level.OK, text)
    return Finding(subject, Level.WARNING, text, "start more workers, or see why these are slow")


def _workers(door: Door) -> Finding:
    names = door.workers(_ANSWER)
    if not names:
        advice = "start python -m celery -A tasks worker"
        return Finding("Workers", Level.FAILED, f"none answers within {_ANSWER:.0f} s", advice)
    return Finding("Workers", Level.OK, f"{len(names)} at work: {', '.join(names[:10])}")

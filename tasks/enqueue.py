"""The one door to the broker: publishes ids, tells how many wait there, and who is at work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from kombu import Producer
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from tasks import backlog, wire
from tasks.backlog import ENQUEUE_TIME, Backlog
from tasks.celery import app, settings
from tasks.lanes import Lane


#: The task's name; `tasks.send` has its code, which the watcher does not load.
TASK = "tasks.send"
#: What the broker's absence raises.
BROKER_ERRORS = (KombuError, RedisError, OSError)
#: Ids of a batch that Flower shows.
_SHOWN = 3


def enqueue(messages: Iterable[tuple[Lane, Sequence[Any]]], now: datetime) -> None:
    """Ask the workers to deliver: one message for each lane and its ids.

    `now` is the documents' enqueueTime. Raises one of BROKER_ERRORS; then some may have been
    published, and the same messages may be published again without harm.
    """
    with app.producer_or_acquire() as producer, producer.batch():
        for lane, ids in messages:
            _publish(producer, lane, ids, now)


def waiting(lane: Lane) -> Backlog:
    """Tell how much waits in a lane's queue. Raises one of BROKER_ERRORS."""
    with app.producer_or_acquire() as producer:
        return backlog.read(producer.channel.client, lane.queue, settings.broker_prefix)


def workers(timeout: float) -> list[str]:
    """Name the workers that answer within some seconds. Raises one of BROKER_ERRORS."""
    replies: list[dict[str, Any]] = app.control.ping(timeout=timeout) or []
    return sorted(name for reply in replies for name in reply)


def _publish(producer: Producer, lane: Lane, ids: Sequence[Any], now: datetime) -> None:
    app.send_task(
        TASK,
        args=(wire.dump(ids), lane.value),
        argsrepr=_shown(ids),
        queue=lane.queue,
        headers={ENQUEUE_TIME: int(now.timestamp() * 1000)},
        producer=producer,
        retry=False,
    )


def _shown(ids: Sequence[Any]) -> str:
    """Make what Flower shows of a batch; it would cut a list of 50 in the middle of an id."""
    first = ", ".join(str(id) for id in ids[:_SHOWN])
    more = len(ids) - _SHOWN
    return f"{first} and {more} more" if more > 0 else first

"""The Celery task, and the one door through which ids are enqueued."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import structlog
from celery.signals import worker_shutting_down
from kombu import Producer
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from tasks import wire
from tasks.backlog import ENQUEUE_TIME, Backlog
from tasks.backlog import read as read_backlog
from tasks.celery import app, settings
from tasks.lanes import Lane
from tasks.worker import Worker


#: What the broker's absence raises, in publishing and in `backlog`.
BROKER_ERRORS = (KombuError, RedisError, OSError)
#: Ids of a batch that Flower shows.
_SHOWN = 3

_stopping = threading.Event()
_starting = threading.Lock()
_log = structlog.get_logger(__name__)


@app.task(name="tasks.send")
def send(ids: list[Any], lane: str) -> dict[str, int]:
    """Deliver the mails with these ids (`tasks.wire`); harmless if asked twice."""
    tally = asdict(_worker().deliver(wire.load(ids), Lane(lane)))
    _log.info("batch.done", lane=lane, **tally)
    return tally


def enqueue(chunks: Iterable[tuple[Lane, Sequence[Any]]], now: datetime) -> None:
    """Ask the workers to deliver; one message a chunk of ids of one lane.

    Raises one of BROKER_ERRORS; then some may have been published, and the same chunks may be
    enqueued again without harm.
    """
    with app.producer_or_acquire() as producer, producer.batch():
        for lane, ids in chunks:
            _publish(producer, lane, ids, now)


def backlog(lane: Lane) -> Backlog:
    """Tell how much waits in a lane's queue. Raises one of BROKER_ERRORS."""
    with app.producer_or_acquire() as producer:
        client = producer.channel.client
        return read_backlog(client, lane.queue, settings.broker_prefix)


def _publish(producer: Producer, lane: Lane, ids: Sequence[Any], now: datetime) -> None:
    options: dict[str, Any] = {
        "argsrepr": _shown(ids),
        "queue": lane.queue,
        "headers": {ENQUEUE_TIME: int(now.timestamp() * 1000)},
        "producer": producer,
        "retry": False,
    }
    send.apply_async(args=(wire.dump(ids), lane.value), **options)


def _shown(ids: Sequence[Any]) -> str:
    """Make what Flower shows of a batch; it would cut a list of 50 in the middle of an id."""
    first = ", ".join(str(id) for id in ids[:_SHOWN])
    more = len(ids) - _SHOWN
    return f"{first} and {more} more" if more > 0 else first


def _put_back(lane: Lane, ids: Sequence[Any]) -> None:
    enqueue([(lane, ids)], _worker().now())


@functools.cache
def _make_worker() -> Worker:
    return Worker(settings, _put_back, _stopping)


def _worker() -> Worker:
    with _starting:
        return _make_worker()


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    """After SIGTERM: mails in hand are finished, the rest of each batch is put back."""
    _stopping.set()

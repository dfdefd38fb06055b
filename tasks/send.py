"""The Celery task: delivers a batch of mails."""

from __future__ import annotations

import functools
import threading
from dataclasses import asdict
from typing import Any

import structlog
from celery.signals import worker_shutting_down

from tasks import enqueue, wire
from tasks.celery import app, settings
from tasks.lanes import Lane
from tasks.worker import Worker


_stopping = threading.Event()
_starting = threading.Lock()
_log = structlog.get_logger(__name__)


@app.task(name=enqueue.TASK)
def send(ids: list[Any], lane: str) -> dict[str, int]:
    """Deliver the mails with these ids (as `tasks.wire` writes them); harmless if asked twice."""
    tally = asdict(_worker().deliver(wire.load(ids), Lane(lane)))
    _log.info("batch.done", lane=lane, **tally)
    return tally


def _waiting(lane: Lane) -> int:
    return enqueue.waiting(lane).messages


def _worker() -> Worker:
    with _starting:
        return _make_worker()


@functools.cache
def _make_worker() -> Worker:
    return Worker(settings, publish=enqueue.enqueue, waiting=_waiting, stopping=_stopping)


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    """After SIGTERM: mails in hand are finished, the rest of each batch is put back."""
    _stopping.set()

"""What a worker process does at its start and end for those who watch it."""

from __future__ import annotations

import threading
from typing import Any

from billiard import current_process
from celery.signals import (
    heartbeat_sent,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)

from config import logs
from tasks.celery import settings
from tasks.observing import starting, tracing
from tasks.observing.pulses import Pulse
from tasks.observing.watchdog import watchdog


#: Celery's main loop: it beats every two seconds while it has the broker.
_loop = Pulse("broker loop", settings.watchdog_seconds)
_ready = threading.Event()
_stopping = threading.Event()


@worker_init.connect
def _begin(**_: Any) -> None:
    # Celery configures them after this.
    logs.configure(settings.log_level, settings.log_format)
    prefork = settings.worker_pool == "prefork"
    # A solo worker's loop is not there while it sends.
    if settings.worker_pool != "solo":
        watchdog.watch(_loop)
    if not prefork:
        tracing.begin(settings, "worker")
    starting.begin(settings, "worker", hindrance=_hindrance, child=_child if prefork else None)


@worker_process_init.connect
def _begin_child(**_: Any) -> None:
    starting.watch_over(settings)
    tracing.begin(settings, "worker")


@worker_ready.connect
def _is_ready(**_: Any) -> None:
    _ready.set()


@heartbeat_sent.connect
def _beat(**_: Any) -> None:
    _loop.beat()


@worker_shutting_down.connect
def _end(**_: Any) -> None:
    """A stop takes as long as the mails in hand; the supervisor ends it when that is too long."""
    _stopping.set()
    watchdog.forget(_loop)


def _hindrance() -> str | None:
    if _stopping.is_set():
        return "stopping"
    return None if _ready.is_set() else "starting"


def _child() -> int:
    """Give the place in the pool, which the next child gets when this one ends; 0: no child."""
    index: int | None = getattr(current_process(), "index", None)
    return 0 if index is None else index + 1

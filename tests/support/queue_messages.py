"""What waits in the queues: the ids in the messages, as Celery and kombu write them to Redis."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from tasks import wire
from tasks.delivery.ids import key
from tasks.lanes import Lane
from tests.support.application import Application, eventually


def messages(application: Application, lane: Lane) -> list[list[Any]]:
    """Read the ids of each message of a lane, in the order in which workers will take them."""
    name = f"{application.settings.broker_prefix}{lane.queue}"
    found: Any = application.redis.lrange(name, 0, -1)
    return [_ids(message) for message in reversed(found)]


def ids(application: Application, *lanes: Lane) -> list[Any]:
    """Read all ids that wait, of these lanes or of all."""
    return [
        id
        for lane in lanes or tuple(Lane)
        for message in messages(application, lane)
        for id in message
    ]


def count(application: Application, id: Any) -> int:
    """Count how often an id waits."""
    return [key(each) for each in ids(application)].count(key(id))


def wait_until_queued(application: Application, *wanted: Any, seconds: float = 10) -> None:
    """Wait until each of these ids waits in a queue."""
    keys = {key(id) for id in wanted}
    try:
        eventually(
            "all ids enqueued",
            lambda: keys <= {key(id) for id in ids(application)},
            seconds,
        )
    except TimeoutError as error:
        raise TimeoutError(
            f"{error}; queued: {ids(application)[:20]}\n{application.logs()}"
        ) from None


def wait_for_everything_before_now(application: Application) -> None:
    """Return when the watcher has handled every change made so far."""
    wait_until_queued(application, *application.insert())


def take_all(application: Application) -> list[Any]:
    """Empty the queues, as workers would; return the ids."""
    taken: list[Any] = []
    for lane in Lane:
        name = f"{application.settings.broker_prefix}{lane.queue}"
        while message := application.redis.rpop(name):
            taken += _ids(message)
    return taken


def doubles(all_ids: Iterable[Any]) -> list[Any]:
    """Find the ids that occur more than once."""
    seen: set[bytes] = set()
    twice = []
    for id in all_ids:
        if key(id) in seen:
            twice.append(id)
        seen.add(key(id))
    return twice


def _ids(message: Any) -> list[Any]:
    args, _, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
    return wire.load(args[0])

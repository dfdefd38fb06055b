"""Whether MongoDB and the broker answer now: clients of their own, with little patience."""

from __future__ import annotations

import threading
from typing import Any

import redis
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import broker_url
from config.settings import Settings


#: Seconds.
_PATIENCE = 2.0
_MILLISECONDS = int(_PATIENCE * 1000)


class Servers:
    """Connects at the first question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._clients: tuple[MongoClient[dict[str, Any]], redis.Redis] | None = None

    def away(self) -> list[str]:
        """Name those that do not answer: MongoDB's primary, the broker."""
        mongodb, broker = self._connect()
        return [
            *(["mongodb"] if not _mongodb_answers(mongodb) else []),
            *(["broker"] if not _broker_answers(broker) else []),
        ]

    def _connect(self) -> tuple[MongoClient[dict[str, Any]], redis.Redis]:
        with self._lock:
            if self._clients is None:
                self._clients = _mongodb(self._settings), _broker(self._settings)
            return self._clients


def _mongodb(settings: Settings) -> MongoClient[dict[str, Any]]:
    return MongoClient(
        settings.mongodb_uri.get_secret_value(),
        appname="mailtrigger-health",
        maxPoolSize=2,
        serverSelectionTimeoutMS=_MILLISECONDS,
        connectTimeoutMS=_MILLISECONDS,
        socketTimeoutMS=_MILLISECONDS,
        waitQueueTimeoutMS=_MILLISECONDS,
    )


def _broker(settings: Settings) -> redis.Redis:
    return redis.Redis.from_url(
        broker_url.for_driver(settings.celery_broker_url.get_secret_value()),
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), 1),
    )


def _mongodb_answers(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def _broker_answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False

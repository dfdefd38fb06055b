"""The broker: whether it answers, and keeps what it is given."""

from __future__ import annotations

from typing import Any

import redis
from redis.exceptions import AuthenticationError, RedisError

from config import broker_url
from config.checks.finding import TIMEOUT_SECONDS, Finding, Level
from config.logs import redact
from config.settings import Settings


_SUBJECT = "Broker"


def check(settings: Settings) -> list[Finding]:
    """Find out, writing nothing."""
    client = redis.Redis.from_url(
        broker_url.for_driver(settings.celery_broker_url.get_secret_value()),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    try:
        info: dict[str, Any] = client.info()
    except AuthenticationError:
        advice = "check user and password in CELERY_BROKER_URL"
        return [Finding(_SUBJECT, Level.FAILED, "refused user or password", advice)]
    except (RedisError, OSError) as error:
        advice = "is it running, is CELERY_BROKER_URL right, does a firewall stand between?"
        text = f"does not answer: {redact(str(error))}"
        return [Finding(_SUBJECT, Level.FAILED, text, advice)]
    finally:
        client.close()
    return [_version(info), *_eviction(info), *_persistence(info)]


def _version(info: dict[str, Any]) -> Finding:
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version") or info.get("redis_version", "of unknown version")
    return Finding(_SUBJECT, Level.OK, f"answers: {name} {version}")


def _eviction(info: dict[str, Any]) -> list[Finding]:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy == "noeviction":
        return []
    return [
        Finding(
            _SUBJECT,
            Level.WARNING,
            f"maxmemory-policy is {policy}: when memory is short, waiting ids are thrown away",
            "set it to noeviction",
        )
    ]


def _persistence(info: dict[str, Any]) -> list[Finding]:
    if info.get("aof_enabled", 1):
        return []
    return [
        Finding(
            _SUBJECT,
            Level.WARNING,
            "appendonly is off: after a restart the sweep has to find the waiting mails again",
            "set appendonly yes",
        )
    ]

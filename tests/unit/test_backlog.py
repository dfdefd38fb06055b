"""What a queue in Redis says; the shape of a message is kombu's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tasks import backlog
from tasks.backlog import Backlog


class Lists:
    """redis-py with a kombu prefix: LLEN gets it by itself, LINDEX does not."""

    def __init__(self, prefix: str, **queues: list[bytes]) -> None:
        self._prefix = prefix
        self._queues = {f"{prefix}{name}": messages for name, messages in queues.items()}

    def llen(self, key: str) -> int:
        return len(self._queues.get(self._prefix + key, []))

    def lindex(self, key: str, index: int) -> bytes | None:
        messages = self._queues.get(key, [])
        return messages[index] if messages else None


class Emptied(Lists):
    """A worker takes the last message between the two."""

    def lindex(self, key: str, index: int) -> bytes | None:
        self._queues.clear()
        return super().lindex(key, index)


def message(**headers: Any) -> bytes:
    return json.dumps({"body": "e30=", "headers": headers}).encode()


def test_an_empty_queue_has_no_oldest() -> None:
    """Nothing waits."""
    assert backlog.read(Lists("a:"), "q", "a:") == Backlog(0, None)


def test_the_oldest_is_the_next_to_be_taken() -> None:
    """Pushed on the left, taken on the right; milliseconds since 1970."""
    lists = Lists("a:", q=[message(enqueueTime=9_000), message(enqueueTime=1_500)])

    oldest = datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    assert backlog.read(lists, "q", "a:") == Backlog(2, oldest)


def test_a_queue_emptied_in_between_has_no_oldest() -> None:
    """LLEN and LINDEX are two commands."""
    lists = Emptied("a:", q=[message(enqueueTime=1)])

    assert backlog.read(lists, "q", "a:").oldest is None


FOREIGN = [
    b"not JSON", b"\xff", b"[]", b"null", b"5", b"{}", b'{"headers": null}', b'{"headers": []}',
    message(), message(enqueueTime=None), message(enqueueTime="soon"), message(enqueueTime=[]),
    message(enqueueTime=10**30), message(enqueueTime=-(10**30)),
    b'{"headers":{"enqueueTime":1e999}}',
]  # fmt: skip


@pytest.mark.parametrize("foreign", FOREIGN, ids=repr)
def test_a_message_of_someone_else_is_very_old(foreign: bytes) -> None:
    """So that nothing seems lost while it waits; it never stops the watcher."""
    assert backlog.read(Lists("a:", q=[foreign]), "q", "a:").oldest == datetime(
        1970, 1, 1, tzinfo=UTC
    )

"""Errors of servers in one line, without what they quote."""

from __future__ import annotations

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure, ServerSelectionTimeoutError
from redis.exceptions import ConnectionError as RedisConnectionError

from tasks.commands.connection import explain


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ServerSelectionTimeoutError("x:1: refused (configured timeouts: 5s), Timeout: 5s, <T>"),
            "x:1: refused",
        ),
        (DuplicateKeyError("E11000 dup key: { _id: 'ada@example.com' }"), "E11000"),
        (
            OperationFailure("error: ns=mail Tree: to = 'ada@example.com' caused by hint provided"),
            "the indexes are not all there: run python -m tasks setup",
        ),
        (OperationFailure("no such command\n\x1b[2J, full error: {}"), "no such command \\x1b[2J"),
        (RedisConnectionError("redis://:hidden@h:1 is away"), "redis://:***@h:1 is away"),
        (RedisConnectionError(), "ConnectionError"),
    ],
)
def test_one_line(error: Exception, said: str) -> None:
    """No address, no password, nothing that a terminal would obey."""
    assert explain(error) == said

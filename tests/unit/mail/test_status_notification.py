from __future__ import annotations

from typing import Any

import pytest

from tasks.envelope import Dsn
from tests.unit.mail.samples import composed, problems_of


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"notify": ["failure", "Delay", None, "delay"]}, Dsn(("FAILURE", "DELAY"))),
        ({"notify": "never"}, Dsn(("NEVER",))),
        ({"return": "headers"}, Dsn(ret="HDRS")),
        ({"return": "HDRS"}, Dsn(ret="HDRS")),
        ({"return": "full"}, Dsn(ret="FULL")),
        ({"id": "order 4711"}, Dsn(envid="order 4711")),
        ({"id": "x" * 100}, Dsn(envid="x" * 100)),
        ({}, None),
        ({"notify": [], "return": None, "id": ""}, None),
        (None, None),
    ],
)
def test_dsn(given: Any, asked: Dsn | None) -> None:
    """`dsn` says what is asked of the server; nothing when its fields are empty."""
    assert composed(dsn=given).dsn == asked


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"notify": ["always"]}, "dsn.notify must be of never, success, failure, delay"),
        ({"notify": ["never", "delay"]}, "dsn.notify must not have anything beside never"),
        ({"notify": 5}, "dsn.notify must be a string or a list of strings, not a number"),
        ({"return": "all"}, "dsn.return must be headers or full"),
        ({"return": True}, "dsn.return must be a string, not a boolean"),
        ({"id": "x" * 101}, "dsn.id must be at most 100 printable ASCII characters;"),
        ({"id": "=" * 34}, "dsn.id must be at most 100 printable ASCII characters;"),
        ({"id": "ü"}, "dsn.id must be at most 100 printable ASCII characters;"),
        ({"id": "a\r\nRSET"}, "dsn.id must not contain a line break"),
    ],
)
def test_wrong(given: Any, problem: str) -> None:
    """What cannot be asked is an error, never a mail without notifications."""
    (found,) = problems_of(dsn=given)

    assert found.startswith(problem)

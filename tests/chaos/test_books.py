"""The books themselves: what they must not overlook. No server, no process."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.delivery.states import LEASE_EXPIRED
from tests.chaos.books import Rules, balance
from tests.support.history import DELETED, Step
from tests.support.sink import Message


NOW = datetime(2026, 1, 1, tzinfo=UTC)
TO = "recipient@example.com"
WORKER, OTHER = "host:7:a", "host:8:b"

NEW = Step(NOW)
WAITS = Step(NOW, "PENDING", None, 0)
CLAIMED = Step(NOW, "PROCESSING", "CLAIMED", 1, WORKER)
SENDING = Step(NOW, "PROCESSING", "SENDING", 1, WORKER)
SENT = Step(NOW, "SUCCESS", None, 1, WORKER)
FAILED = Step(NOW, "ERROR", None, 1, WORKER, "nothing was sent")
EXPIRED = Step(NOW, "ERROR", None, 1, WORKER, LEASE_EXPIRED, in_doubt=True)
IN_DOUBT = Step(NOW, "ERROR", None, 1, WORKER, "it may have sent it", in_doubt=True)

KILLED = Rules(lost=frozenset({7}))
REFUSING = Rules(unsent="nothing was sent", in_doubt="may have sent it")


def taken(seconds: float = 1, *, answered: bool = True) -> Message:
    at = (NOW + timedelta(seconds=seconds)).timestamp()
    return Message("", (TO,), b"", answered, at)


def problems(steps: Sequence[Step], messages: Sequence[Message], rules: Rules) -> list[str]:
    last = steps[-1]
    delivery: dict[str, Any] = {"state": last.state, "error": last.error}
    if last.in_doubt:
        delivery["inDoubt"] = True
    document = {"_id": 1, "to": TO, "delivery": delivery}
    return balance([document], messages, {1: steps}, rules).problems


HERE = [NEW, WAITS, CLAIMED, SENDING]
ELSEWHERE = [dataclasses.replace(step, worker=OTHER) for step in (CLAIMED, SENDING, SENT)]
Case = tuple[list[Step], list[Message], Rules]

GOOD: list[Case] = [
    ([*HERE, SENT], [taken()], Rules()),
    ([NEW, WAITS, CLAIMED, WAITS, *ELSEWHERE], [taken()], Rules()),
    ([*HERE, WAITS, *ELSEWHERE], [taken()], Rules()),
    ([*HERE, EXPIRED], [], KILLED),
    ([*HERE, EXPIRED], [taken()], KILLED),
    ([*HERE, EXPIRED, SENT], [taken()], KILLED),
    ([*HERE, EXPIRED, SENT], [taken()], Rules(late=frozenset({7}))),
    ([NEW, WAITS, CLAIMED, FAILED], [], REFUSING),
    ([*HERE, IN_DOUBT], [taken(answered=False)], REFUSING),
]
BAD: dict[str, Case] = {
    "PENDING at the end": ([NEW, WAITS], [], Rules()),
    "PROCESSING at the end": ([NEW, WAITS, CLAIMED], [], Rules()),
    "taken 2 times": ([*HERE, SENT], [taken(), taken()], Rules()),
    "SUCCESS, taken 0 times": ([*HERE, SENT], [], Rules()),
    "SUCCESS, taken 1 times": ([*HERE, SENT], [taken(answered=False)], Rules()),
    "that nobody killed": ([*HERE, EXPIRED], [], Rules(frozenset({8}))),
    "PROCESSING/CLAIMED ('host:7:a', 1) → ERROR": ([NEW, WAITS, CLAIMED, EXPIRED], [], KILLED),
    "of a worker that was well": ([*HERE, EXPIRED, SENT], [taken()], Rules(frozenset({8}))),
    "ERROR, taken 1 times": ([NEW, WAITS, CLAIMED, FAILED], [taken()], REFUSING),
    "ERROR, taken 0 times": ([NEW, WAITS, CLAIMED, FAILED], [], KILLED),
    "in doubt, taken 0 times": ([*HERE, IN_DOUBT], [], KILLED),
    "before it passed the point of no return": ([*HERE, SENT], [taken(-1)], Rules()),
    "PROCESSING/CLAIMED ('host:7:a', 1) → SUCCESS": ([*HERE[:3], SENT], [taken()], Rules()),
    "→ PROCESSING/SENDING ('host:8:b', 1)": ([*HERE[:3], *ELSEWHERE[1:]], [taken()], Rules()),
    "(it may have sent it) → PENDING": ([*HERE, IN_DOUBT, WAITS, *ELSEWHERE], [], REFUSING),
    "SUCCESS ('host:7:a', 1) → PENDING": ([*HERE, SENT, WAITS, *ELSEWHERE], [taken()], KILLED),
    "→ SUCCESS ('host:8:b', 1)": ([*HERE, ELSEWHERE[2]], [taken()], Rules()),
    "the same fence twice": ([*HERE[:3], WAITS, *HERE[2:], SENT], [taken()], Rules()),
    "PENDING (None, 0) → deleted": ([NEW, WAITS, Step(NOW, DELETED)], [], Rules()),
    "→ PROCESSING/CLAIMED (None, 0)": (
        [NEW, WAITS, Step(NOW, "PROCESSING", "CLAIMED", 0)],
        [],
        Rules(),
    ),
    "in doubt, but PENDING": ([NEW, dataclasses.replace(WAITS, in_doubt=True)], [], Rules()),
}


@pytest.mark.parametrize(("steps", "messages", "rules"), GOOD)
def test_good_books(steps: list[Step], messages: list[Message], rules: Rules) -> None:
    """What may happen is no problem."""
    assert problems(steps, messages, rules) == []


@pytest.mark.parametrize("text", BAD)
def test_bad_books(text: str) -> None:
    """Whatever must never happen is found, and named."""
    steps, messages, rules = BAD[text]

    assert any(text in problem for problem in problems(steps, messages, rules))


def test_a_mail_of_nobody() -> None:
    """A mail at the server without a document is found."""
    assert balance([], [taken()], {}, Rules()).problems == [
        f"{TO}: taken, but there is no document"
    ]


def test_a_history_that_ends_otherwise() -> None:
    """The document says SUCCESS, and the change stream has never seen it."""
    document = {"_id": 1, "to": TO, "delivery": {"state": "SUCCESS"}}

    assert balance([document], [taken()], {1: [NEW, WAITS]}, Rules()).problems

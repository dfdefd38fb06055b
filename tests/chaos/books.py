"""The books: what the SMTP server took against what the documents say, now and on their way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.delivery.states import LEASE_EXPIRED, Phase, State
from tests.chaos import transitions
from tests.support.history import Step
from tests.support.sink import Message


#: The primary's clock has milliseconds; the sink's more.
_TICK = timedelta(milliseconds=2)


@dataclass(frozen=True)
class Entry:
    """A document, its mails at the server, and what it went through."""

    document: Mapping[str, Any]
    taken: Sequence[Message]
    steps: Sequence[Step]

    @property
    def delivery(self) -> Mapping[str, Any]:
        """What stands in it now."""
        delivery = self.document.get("delivery")
        return delivery if isinstance(delivery, Mapping) else {}


@dataclass(frozen=True)
class Rules:
    """What may have happened, beside SUCCESS.

    `lost`: processes that were killed; only they may leave "lease expired" for good. `late`: those
    that stood still or could not reach MongoDB; their leases may have run out for a while.
    `unsent`: errors after which the server has nothing. `in_doubt`: errors after which it may have
    the mail, once; they are marked so (`delivery.inDoubt`). Both are patterns.
    """

    lost: frozenset[int] = frozenset()
    late: frozenset[int] = frozenset()
    unsent: str | None = None
    in_doubt: str | None = None


@dataclass(frozen=True)
class Books:
    """A balance; `problems` is empty when every document tells the truth."""

    states: dict[str, int]
    taken: int
    problems: list[str]

    def __str__(self) -> str:
        return f"{self.states}, {self.taken} mails at the server, problems: {self.problems[:5]}"


def balance(
    documents: Iterable[Mapping[str, Any]],
    messages: Sequence[Message],
    history: Mapping[Any, Sequence[Step]],
    rules: Rules,
) -> Books:
    """Compare them; each document has one recipient of its own in `to`.

    `history` is by `_id`. SUCCESS: taken exactly once, and the server said so. ERROR: as the rules
    allow. Anything else is a problem, and so is every step that no mail may take.
    """
    by_recipient: dict[str, list[Message]] = {}
    for message in messages:
        for recipient in message.recipients:
            by_recipient.setdefault(recipient, []).append(message)
    found: list[str] = []
    states: Counter[str] = Counter()
    for document in documents:
        taken = by_recipient.pop(str(document.get("to")), [])
        entry = Entry(document, taken, history[document["_id"]])
        states[str(entry.delivery.get("state"))] += 1
        found += [f"{document.get('to')}: {text}" for text in _problems(entry, rules)]
    found += [f"{recipient}: taken, but there is no document" for recipient in by_recipient]
    return Books(dict(states), len(messages), found)


def _problems(entry: Entry, rules: Rules) -> Iterator[str]:
    yield from transitions.problems(entry.steps)
    if not entry.steps or entry.steps[-1].state != entry.delivery.get("state"):
        yield f"the history ends otherwise: {entry.steps[-1:]}"
    excused = rules.lost | rules.late
    if any(transitions.is_lost_lease(s) and s.pid not in excused for s in entry.steps):
        yield "lease expired in the hands of a worker that was well"
    count = len(entry.taken)
    if count > 1:
        yield f"taken {count} times"
    if entry.taken and not _was_sending(entry, entry.taken[0]):
        yield "at the server before it passed the point of no return"
    yield from _at_the_end(entry, rules)


def _at_the_end(entry: Entry, rules: Rules) -> Iterator[str]:
    state, error = entry.delivery.get("state"), str(entry.delivery.get("error"))
    count = len(entry.taken)
    in_doubt = entry.delivery.get("inDoubt", False)
    if state == State.SUCCESS:
        if count != 1 or not entry.taken[0].answered:
            yield f"SUCCESS, taken {count} times"
    elif state != State.ERROR:
        yield f"{state} at the end"
    elif in_doubt:
        if error == LEASE_EXPIRED and entry.steps[-1].pid not in rules.lost:
            yield "lease expired in the hands of a worker that nobody killed"
        if error != LEASE_EXPIRED and not _matches(rules.in_doubt, error):
            yield f"in doubt, taken {count} times: {error}"
    elif count or not _matches(rules.unsent, error):
        yield f"ERROR, taken {count} times: {error}"


def _was_sending(entry: Entry, message: Message) -> bool:
    """Tell whether phase SENDING stood there before the server had the mail."""
    at = datetime.fromtimestamp(message.at, UTC) + _TICK
    return any(step.phase == Phase.SENDING and step.at <= at for step in entry.steps)


def _matches(pattern: str | None, text: str) -> bool:
    return pattern is not None and re.search(pattern, text) is not None

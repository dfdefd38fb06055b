"""The books: what the SMTP server took against what the documents say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pymongo.collection import Collection

from tasks.delivery.states import LEASE_EXPIRED
from tests.support.sink import Sink


@dataclass(frozen=True)
class Books:
    """A balance; `problems` is empty when every document tells the truth."""

    states: dict[str, int]
    taken: int
    problems: list[str]

    def __str__(self) -> str:
        return f"{self.states}, {self.taken} mails at the server, problems: {self.problems[:5]}"


def balance(mails: Collection[dict[str, Any]], sink: Sink) -> Books:
    """Compare them; each document has one recipient of its own in `to`.

    SUCCESS: taken exactly once. ERROR: the lease expired in phase SENDING, so taken once or not at
    all. Any other state, any other error, and any mail taken twice is a problem.
    """
    taken = Counter(recipient for message in sink.messages for recipient in message.recipients)
    states: Counter[str] = Counter()
    problems = [f"{recipient} {count} times" for recipient, count in taken.items() if count > 1]
    for document in mails.find({}, {"to": 1, "delivery": 1}):
        delivery = document.get("delivery") or {}
        state = delivery.get("state")
        states[str(state)] += 1
        if state == "SUCCESS" and taken[document["to"]] == 1:
            continue
        if state == "ERROR" and delivery["error"] == LEASE_EXPIRED:
            continue
        problems.append(
            f"{document['to']}: {state} {delivery.get('error')}, taken {taken[document['to']]}"
        )
    return Books(dict(states), sum(taken.values()), problems)

"""What anyone may write into `delivery`: RETRY into what has ended, CANCELLED into what waits.

Only the state is written, as docs/delivery.md tells everybody; the watcher sees it and does the
rest. Every write is conditional: a mail that has gone on meanwhile is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config.mongo import Document
from tasks.delivery import states
from tasks.delivery.states import CLAIMABLE, State


#: A state of the users' own by convention: it stops a mail that waits.
CANCELLED = "CANCELLED"
#: Another one: it holds a mail back.
DRAFT = "DRAFT"

#: A mail that failed, and somebody may have it all the same: nobody knows, or an automatic retry
#: reached some of the recipients before the rest failed. Mails of the Firebase extension have no
#: `inDoubt`.
IN_DOUBT: Document = {
    "$or": [
        {"delivery.inDoubt": {"$nin": [None, False]}},
        {"delivery.error": states.LEASE_EXPIRED},
        {"delivery.info.accepted.0": {"$exists": True}},
    ]
}
CERTAIN: Document = {"$nor": IN_DOUBT["$or"]}
_IS_MAP: Document = {"delivery": {"$not": {"$type": "array"}}}


@dataclass(frozen=True, slots=True)
class Wish:
    """A write for every mail that meets the condition."""

    condition: Document
    update: Document


def retry(ended: Sequence[str], *, in_doubt: bool) -> Wish:
    """Send again what ended in these states; `in_doubt`: also what somebody may have already."""
    condition: Document = {"delivery.state": {"$in": list(ended)}, **_IS_MAP}
    if not in_doubt:
        condition |= CERTAIN
    return Wish(condition, {"$set": {"delivery.state": State.RETRY.value}})


def cancel() -> list[Wish]:
    """Stop what waits; one after the other, since the watcher may admit a new mail in between."""
    return [
        Wish({"delivery": None}, {"$set": {"delivery": {"state": CANCELLED}}}),
        Wish(
            {
                "delivery.state": {"$in": CLAIMABLE},
                "delivery": {"$type": "object", "$not": {"$type": "array"}},
            },
            {"$set": {"delivery.state": CANCELLED}},
        ),
    ]

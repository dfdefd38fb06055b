"""How many mails are in each state, cheaply: those that went well are what is left."""

from __future__ import annotations

from dataclasses import dataclass

from pymongo.collection import Collection

from config.mongo import Document
from tasks.delivery.indexes import ASIDE, LIVE
from tasks.delivery.states import State
from tasks.delivery.wishes import CANCELLED, DRAFT
from tasks.operating.filters import NEW


#: Milliseconds that counting one state may take.
_PATIENCE = 5_000


@dataclass(frozen=True, slots=True)
class Counts:
    """`states`: exact, by state, NEW first. `other`: SUCCESS, and states of the users' own.

    `other` is what is left of the collection's size, which MongoDB keeps by the way: after an
    unclean stop it may be wrong until mongod has counted anew.
    """

    states: dict[str, int]
    other: int
    total: int


def by_state(mails: Collection[Document]) -> Counts:
    """Count. Raises PyMongoError; ExecutionTimeout when MongoDB has too much else to do."""
    states = {NEW: _count(mails, None, LIVE)}
    for state in (State.PENDING.value, State.RETRY.value, State.PROCESSING.value):
        states[state] = _count(mails, state, LIVE)
    for state in (State.ERROR.value, CANCELLED, DRAFT):
        states[state] = _count(mails, state, ASIDE)
    total = mails.estimated_document_count(maxTimeMS=_PATIENCE)
    return Counts(states, max(total - sum(states.values()), 0), total)


def _count(mails: Collection[Document], state: str | None, index: str) -> int:
    query = {"delivery.state": state}
    return mails.count_documents(query, hint=index, maxTimeMS=_PATIENCE)

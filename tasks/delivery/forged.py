"""Times that no watcher has written, and lists, in mails that no watcher has seen.

The sweep looks for waiting mails by their times: null, or a date that has come. What somebody else
wrote there is corrected when the stream brings the mail. It brings none from before it began.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from config.mongo import Document
from tasks.delivery import ids, indexes
from tasks.delivery.indexes import LIVE
from tasks.delivery.malformed import Malformed
from tasks.delivery.states import CLAIMABLE, State


_PARALLEL_ARRAYS = 171
#: Nobody enqueues a mail in the future; clocks differ by less.
_FUTURE = timedelta(days=1)
#: A list with a date in it is of type "date", too.
_NO_TIME: list[Document] = [
    {"$exists": True, "$not": {"$type": ["date", "null"]}},
    {"$type": "array"},
]


def ensure_indexes(mails: Collection[Document], now: datetime, ttl: timedelta | None) -> list[str]:
    """Make the indexes, whatever mails are there already; return their names.

    Raises PyMongoError. No index can hold a document with lists in two of its fields, and MongoDB
    refuses to make one; when it is made, MongoDB refuses such documents.
    """
    try:
        return indexes.ensure(mails)
    except OperationFailure as error:
        if error.code != _PARALLEL_ARRAYS:
            raise
    _remove_lists(mails, Malformed(mails, lambda: now, ttl))
    return indexes.ensure(mails)


def heal(mails: Collection[Document], now: datetime, ttl: timedelta | None) -> None:
    """Remove such times; the sweep then finds the mails. Raises PyMongoError.

    Goes once over everything that waits, and over the collection for lists in place of `delivery`,
    of which the index knows only their items.
    """
    _refuse_lists(mails, Malformed(mails, lambda: now, ttl))
    for state in CLAIMABLE:
        _forget(mails, state, "enqueueTime", [*_NO_TIME, {"$gt": now + _FUTURE}])
        _forget(mails, state, "nextAttemptTime", _NO_TIME)


def _refuse_lists(mails: Collection[Document], malformed: Malformed) -> None:
    for batch in ids.find(mails, {"delivery": {"$type": "array"}}, {}):
        for found in ids.read(batch):
            malformed.refuse(ids.which(found), "array")


def _remove_lists(mails: Collection[Document], malformed: Malformed) -> None:
    """Leave no list in an index's fields but one of priorities: a worker makes an ERROR of it."""
    _refuse_lists(mails, malformed)
    live = [*CLAIMABLE, State.PROCESSING]
    states = {"delivery.state": {"$type": "array", "$in": live}}
    for batch in ids.find(mails, states, {}):
        for found in ids.read(batch):
            malformed.refuse(ids.which(found), "object")
    for path in ("delivery.enqueueTime", "delivery.nextAttemptTime"):
        lists = {"delivery.state": {"$in": live}, path: {"$type": "array"}}
        mails.update_many(lists, {"$set": {path: None}})


def _forget(
    mails: Collection[Document], state: str | None, name: str, wrong: list[Document]
) -> None:
    path = f"delivery.{name}"
    query = {"delivery.state": state, "$or": [{path: each} for each in wrong]}
    mails.update_many(query, {"$set": {path: None}}, hint=LIVE)

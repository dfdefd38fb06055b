"""Times that no watcher has written, in mails that no watcher has seen.

The sweep looks for waiting mails by their times: null, or a date that has come. What somebody else
wrote there is corrected when the stream brings the mail. It brings none from before it began.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pymongo.collection import Collection

from config.mongo import Document
from tasks.delivery.indexes import LIVE
from tasks.delivery.malformed import Malformed
from tasks.delivery.states import CLAIMABLE


#: Nobody enqueues a mail in the future; clocks differ by less.
_FUTURE = timedelta(days=1)
_NO_TIME = {"$exists": True, "$not": {"$type": ["date", "null"]}}


def heal(mails: Collection[Document], now: datetime, ttl: timedelta | None) -> None:
    """Remove such times; the sweep then finds the mails. Raises PyMongoError.

    Goes once over everything that waits, and over the collection for lists in place of `delivery`,
    of which the index knows only their items.
    """
    malformed = Malformed(mails, lambda: now, ttl)
    for found in mails.find({"delivery": {"$type": "array"}}, {"_id": 1}):
        malformed.refuse(found["_id"], "array")
    for state in CLAIMABLE:
        _forget(mails, state, "enqueueTime", [_NO_TIME, {"$gt": now + _FUTURE}])
        _forget(mails, state, "nextAttemptTime", [_NO_TIME])


def _forget(
    mails: Collection[Document], state: str | None, name: str, wrong: list[Document]
) -> None:
    path = f"delivery.{name}"
    query = {"delivery.state": state, "$or": [{path: each} for each in wrong]}
    mails.update_many(query, {"$set": {path: None}}, hint=LIVE)

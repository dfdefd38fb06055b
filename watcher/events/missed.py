"""Mails that ended while nobody could see it: the stream's history was lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bson.objectid import ObjectId
from pymongo.collection import Collection

from config.mongo import Document
from tasks.delivery.indexes import EXPIRY
from tasks.delivery.states import State


#: Where no index has the end of mails, those are looked at that were inserted so long before.
LOOK_BACK = timedelta(days=1)


def ended_since(
    mails: Collection[Document], since: datetime, ttl: timedelta | None
) -> Iterator[Document]:
    """Give the mails that ended since then, by an index. Raises PyMongoError.

    With TTL_EXPIRE_TYPE all of them: the index of `expireAt` has them. Else those whose `_id` is an
    ObjectId of the last LOOK_BACK before then.
    """
    for state in (State.SUCCESS, State.ERROR):
        query: Document = {"delivery.state": state, "delivery.endTime": {"$gte": since}}
        options: Document = {}
        if ttl is not None:
            query["delivery.expireAt"] = {"$gte": since + ttl}
            options["hint"] = EXPIRY
        else:
            query["_id"] = {"$gte": ObjectId.from_datetime(since - LOOK_BACK)}
            options["hint"] = "_id_"
        yield from mails.find(query, {"delivery": 1}, batch_size=100, **options)

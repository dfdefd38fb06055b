"""One document for each `idempotencyKey`: who may send, and what became of that one's mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from bson.datetime_ms import DatetimeMS
from pymongo import ReturnDocument, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from config.mongo import Document
from tasks.clock import Now
from tasks.delivery import states
from tasks.delivery.ids import key as id_key
from tasks.delivery.states import CLAIMABLE, State


#: How long a key keeps others from sending, counted from its first document's first attempt.
WINDOW = timedelta(hours=24)
#: The records are in `<collection>.keys`: `_id` is the key, `mail` the document that may send.
COLLECTION = "keys"
#: Others may take a key over between our look and our write.
_TRIES = 5


class Fate(Enum):
    """What became of the mail of the document that holds the key."""

    SENT = "sent"  #: or its document is gone, and nobody can tell
    IN_DOUBT = "in doubt"  #: it may have been sent
    OPEN = "open"  #: it waits, or is in work
    FREE = "free"  #: certainly not sent, and it will not be: the key is for the next


@dataclass(frozen=True, slots=True)
class Holder:
    """The document that holds a key, as it is now."""

    id: Any
    fate: Fate
    #: How long it has held the key.
    age: timedelta
    #: Before this time nothing will become of it; None: it is at work, or about to be.
    next_attempt: datetime | None = None


class Keys:
    """The keys of a collection of mails. Methods raise PyMongoError."""

    def __init__(self, mails: Collection[Document], now: Now) -> None:
        self._mails = mails
        self._now = now
        self._keys: Collection[Document] = mails.database.get_collection(
            f"{mails.name}.{COLLECTION}",
            codec_options=mails.codec_options,
            # A key that a fail-over rolls back would be given twice.
            write_concern=WriteConcern(w="majority"),
        )

    def take(self, key: str, id: Any) -> Holder | None:
        """Let this document send for the key; when another one holds it, tell about that one."""
        holder: Holder | None = None
        for _ in range(_TRIES):
            record = self._record(key, id)
            if record is None:
                continue
            if id_key(record["mail"]) == id_key(id):
                return None
            holder = self._holder(record)
            if holder.fate is not Fate.FREE:
                return holder
            if self._take_over(record, id):
                return None
        now_open = Holder(id, Fate.OPEN, timedelta())
        return now_open if holder is None or holder.fate is Fate.FREE else holder

    def _record(self, key: str, id: Any) -> Document | None:
        first = {"mail": id, "expireAt": self._now() + WINDOW}
        try:
            return self._keys.find_one_and_update(
                {"_id": key},
                {"$setOnInsert": first},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:  # two upserts at once: the other one was first
            return None

    def _take_over(self, record: Document, id: Any) -> bool:
        """Only from that holder: of two who try, one finds that it has changed."""
        same = {"_id": record["_id"], "mail": {"$eq": record["mail"]}}
        mine = {"mail": id, "expireAt": self._now() + WINDOW}
        query = {**same, "expireAt": record["expireAt"]}
        return self._keys.update_one(query, {"$set": mine}).matched_count == 1

    def _holder(self, record: Document) -> Holder:
        id, now = record["mail"], self._now()
        age = now - (record["expireAt"] - WINDOW)
        found = self._mails.find_one({"_id": id}, {"delivery": 1})
        if age >= WINDOW:
            return Holder(id, Fate.FREE, age)
        if found is None:
            return Holder(id, Fate.SENT, age)
        delivery = states.subdocument(found)
        next_attempt = delivery.get("nextAttemptTime")
        later = isinstance(next_attempt, datetime) and not isinstance(next_attempt, DatetimeMS)
        return Holder(id, _fate(delivery), age, next_attempt if later else None)


def _fate(delivery: Any) -> Fate:
    state = delivery.get("state")
    if state in CLAIMABLE or state == State.PROCESSING:
        return Fate.OPEN
    if state == State.SUCCESS:
        return Fate.SENT
    if state != State.ERROR:
        return Fate.FREE  # a state of the users' own: they hold it back, or have cancelled it
    if delivery.get("inDoubt"):
        return Fate.IN_DOUBT
    info = delivery.get("info")
    reached = isinstance(info, dict) and bool(info.get("accepted"))
    return Fate.SENT if reached else Fate.FREE

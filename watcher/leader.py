"""One watcher leads; its lease and the resume token are one document, in `<mails>.watcher`."""

from __future__ import annotations

import os
import secrets
import socket
import time
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument, WriteConcern
from pymongo.collection import Collection

from config.mongo import CODEC, Document


#: Seconds without renewal after which another watcher takes over.
TTL = 8.0
RENEW_EVERY = 2.0
_EXPIRE_TIME = {"$add": ["$$NOW", int(TTL * 1000)]}


class LostLeadershipError(Exception):
    """Another watcher leads now."""


class Leader:
    """A lease by the server's clock ($$NOW). Two leaders for a moment only enqueue twice: harmless.

    `fence` grows with every change of leader; the token is written only by the last one.
    """

    def __init__(self, mails: Collection[Document], name: str = "leader") -> None:
        """`name`: of whom it is; the watchers themselves, or those who send events."""
        majority = WriteConcern(w="majority")
        self._leases = mails.database.get_collection(
            f"{mails.name}.watcher", codec_options=CODEC, write_concern=majority
        )
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._id = name
        self._fence: int | None = None
        self._renewed = 0.0
        #: Where the stream goes on; None: no watcher has ever saved one.
        self.token: Document | None = None
        #: When what comes before it happened; None where nobody has said so.
        self.reached: datetime | None = None

    def acquire(self) -> bool:
        """Try to become the leader; reads the resume token. Raises PyMongoError."""
        started = time.monotonic()
        expired = {"$expr": {"$lt": ["$expireTime", "$$NOW"]}}
        # Its own: it could not be released when MongoDB was away.
        free = {"$or": [{"owner": {"$in": [None, self.owner]}}, expired]}
        take = {
            "owner": self.owner,
            "fence": {"$add": [{"$ifNull": ["$fence", 0]}, 1]},
            "expireTime": _EXPIRE_TIME,
        }
        # Two steps: an upsert may not have $expr in its query.
        self._leases.update_one({"_id": self._id}, {"$setOnInsert": {"owner": None}}, upsert=True)
        lease = self._leases.find_one_and_update(
            {"_id": self._id, **free}, [{"$set": take}], return_document=ReturnDocument.AFTER
        )
        if lease is None:
            return False
        self._fence, self.token, self._renewed = lease["fence"], lease.get("token"), started
        self.reached = lease.get("reached")
        return True

    def renew_if_due(self) -> None:
        """Keep the lease. Raises LostLeadershipError when another has it, or PyMongoError."""
        if time.monotonic() - self._renewed > RENEW_EVERY:
            self._update({})

    def save(self, token: Document | None, reached: datetime | None = None) -> None:
        """Save where the stream goes on, and keep the lease. Raises as `renew_if_due`."""
        time_ = {"reached": reached} if reached else {}
        self._update({"token": {"$literal": token}, **time_})
        self.token = token

    def release(self) -> None:
        """Let another watcher lead at once. Raises PyMongoError."""
        query = {"_id": self._id, "owner": self.owner, "fence": self._fence}
        self._leases.update_one(query, {"$set": {"owner": None}})

    def _update(self, changes: dict[str, Any]) -> None:
        started = time.monotonic()
        query = {"_id": self._id, "owner": self.owner, "fence": self._fence}
        result = self._leases.update_one(query, [{"$set": {"expireTime": _EXPIRE_TIME, **changes}}])
        if result.matched_count == 0:
            raise LostLeadershipError
        self._renewed = started

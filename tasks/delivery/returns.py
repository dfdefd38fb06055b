"""PROCESSING → PENDING: giving back what was not begun."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, ConnectionFailure

from config.mongo import Document
from tasks.clock import Now
from tasks.delivery import states
from tasks.delivery.claim import Claim
from tasks.delivery.malformed import Malformed
from tasks.delivery.states import IS_WAITING, State


#: A fail-over takes 11–21 s; a claim is worth no more: its lease runs out.
_TRIES, _PAUSE = 5, 0.5


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that goes back for some seconds; `why` stands in `delivery.waitsFor`, for a person."""

    claim: Claim
    seconds: float
    why: str


class Returns:
    """Gives back mails of which nothing was sent, as if they had never been claimed.

    Only for claims whose SMTP transaction this worker has not begun. Done twice, the second time
    changes nothing. Methods raise PyMongoError when the server stays away.
    """

    def __init__(self, mails: Collection[Document], now: Now, ttl: timedelta | None = None) -> None:
        self._mails = mails.with_options(write_concern=WriteConcern(w=1))
        self._now = now
        self._malformed = Malformed(self._mails, now, ttl)

    def release(self, claims: Sequence[Claim], *, enqueue_time: datetime | None) -> None:
        """Give back the claims of one batch.

        `enqueue_time`: when the ids are published again; None: the feeder does that.
        """
        query = {
            "_id": {"$in": [claim.id for claim in claims]},
            "delivery.worker": claims[0].token,
            "$or": states.UNDECIDED,
        }
        update = _given_back(enqueueTime=enqueue_time)
        _patiently(lambda: self._mails.update_many(query, update))

    def postpone(self, waiting: Sequence[Waiting]) -> None:
        """Give back claims that are tried again after a while."""
        now = self._now()
        requests = [
            UpdateOne(
                {**each.claim.fence, "$or": states.UNDECIDED},
                _given_back(
                    enqueueTime=None,
                    nextAttemptTime=now + timedelta(seconds=each.seconds),
                    waitsFor=each.why,
                ),
            )
            for each in waiting
        ]
        try:
            _patiently(lambda: self._mails.bulk_write(requests, ordered=False))
        except BulkWriteError as error:
            self._malformed.settle_all(error, [{"_id": each.claim.id} for each in waiting])

    def hold(self, ids: Sequence[Any], seconds: float, why: str) -> None:
        """Let waiting mails that nobody has claimed wait for some seconds."""
        query = {"_id": {"$in": list(ids)}, "delivery.state": IS_WAITING}
        changes = {
            "delivery.enqueueTime": None,
            "delivery.nextAttemptTime": self._now() + timedelta(seconds=seconds),
            "delivery.waitsFor": why,
        }
        self._mails.update_many(query, {"$set": changes})

    def stamp(self, ids: Sequence[Any], enqueue_time: datetime) -> None:
        """Note when waiting documents are published again."""
        query = {"_id": {"$in": list(ids)}, "delivery.state": IS_WAITING}
        self._mails.update_many(query, {"$set": {"delivery.enqueueTime": enqueue_time}})


def _given_back(**fields: Any) -> Document:
    changes = {
        "state": State.PENDING.value,
        "leaseExpireTime": None,
        "endTime": None,
        "error": None,
        **fields,
    }
    return {
        "$set": {f"delivery.{name}": value for name, value in changes.items()},
        "$inc": {"delivery.attempts": -1},
        "$unset": {f"delivery.{name}": "" for name in ("phase", "worker", "inDoubt")},
    }


def _patiently(write: Callable[[], object]) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            write()
        except ConnectionFailure:
            if attempt == _TRIES:
                raise
            time.sleep(_PAUSE * attempt)
        else:
            return

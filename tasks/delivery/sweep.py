"""The queries of the leader's sweep: each an index scan over the few that are not done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from pymongo import UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from config.mongo import Document
from tasks.clock import Now
from tasks.delivery import states
from tasks.delivery.candidate import PROJECTION, Candidate, milliseconds
from tasks.delivery.indexes import LIVE
from tasks.delivery.malformed import Malformed
from tasks.delivery.spans import Span
from tasks.delivery.states import Phase, State
from tasks.delivery.unqueued import Unqueued


#: What makes sense only while a mail is in work or waits.
_PASSING = {"delivery.phase": "", "delivery.waitsFor": ""}
_LEASE_FIELDS = {f"delivery.{name}": 1 for name in ("worker", "attempts", "phase", "lostClaims")}


class Sweep:
    """Finds what is due, lost or left behind. Every method may raise PyMongoError."""

    def __init__(
        self,
        mails: Collection[Document],
        now: Now,
        ttl: timedelta | None,
        *,
        lease_expired: Literal["error", "retry"],
    ) -> None:
        self._mails = mails.with_options(write_concern=WriteConcern(w="majority"))
        self._now = now
        self._ttl = ttl
        self._lease_expired = lease_expired
        self._malformed = Malformed(self._mails, now, ttl)

    def unqueued(self, state: State | None, span: Span, step: int) -> Unqueued:
        """Give the waiting mails that were never enqueued; state None: no `delivery`."""
        return Unqueued(self._mails, *span.never_enqueued(state), step)

    def any_in(self, state: State) -> bool:
        """Tell whether any mail has this state."""
        return self._mails.find_one({"delivery.state": state}, {"_id": 1}, hint=LIVE) is not None

    def enqueued(
        self, state: State, span: Span, limit: int, *, since: datetime | None, before: datetime
    ) -> list[Candidate]:
        """Find waiting mails whose ids were published between two times, oldest first."""
        return self._find(span.enqueued(state, since, before), limit)

    def due(self, state: State, span: Span, limit: int) -> list[Candidate]:
        """Find waiting mails whose `nextAttemptTime` has come, in its order."""
        return self._find(span.due(state, self._now()), limit)

    def earliest(self, state: State, span: Span) -> int | None:
        """Tell the first `nextAttemptTime` of waiting mails, in milliseconds since 1970."""
        query, options = span.planned(state)
        time = {"_id": 0, "time": "$delivery.nextAttemptTime"}
        for first in self._mails.find(query, time, limit=1, **options):
            return milliseconds(first["time"])
        return None

    def expired_leases(self, limit: int) -> list[Document]:
        """Find documents whose worker did not end them in time."""
        query = {
            "delivery.state": State.PROCESSING,
            "delivery.leaseExpireTime": _not_after(self._now()),
        }
        return list(self._mails.find(query, _LEASE_FIELDS, limit=limit, hint=LIVE))

    def end_leases(self, documents: Sequence[Document]) -> int:
        """Settle documents with expired leases; return how many were."""
        now = self._now()
        requests = [
            self._end_lease(each["_id"], states.subdocument(each), now) for each in documents
        ]
        try:
            return self._mails.bulk_write(requests, ordered=False).matched_count
        except BulkWriteError as error:
            self._malformed.settle_all(error, [each["_id"] for each in documents])
            return len(documents)

    def _end_lease(self, id: Any, delivery: Mapping[str, Any], now: datetime) -> UpdateOne:
        query = {
            "_id": id,
            "delivery.state": State.PROCESSING,
            # $eq: whoever may insert may write {"$gt": ""} there, and that would be an operator.
            "delivery.worker": {"$eq": delivery.get("worker")},
            "delivery.attempts": {"$eq": delivery.get("attempts")},
            "delivery.leaseExpireTime": _not_after(now),
        }
        changes = self._unknown(now)
        if delivery.get("phase") == Phase.CLAIMED:
            query["delivery.phase"] = Phase.CLAIMED
            changes = self._unsent(delivery, now)
        set_ = {"delivery.leaseExpireTime": None, **changes}
        return UpdateOne(query, {"$set": set_, "$unset": _PASSING})

    def _unsent(self, delivery: Mapping[str, Any], now: datetime) -> Document:
        """Nothing was sent: the stream sees PENDING and enqueues it again, but not for ever."""
        before = delivery.get("lostClaims")
        lost = (before if isinstance(before, int) else 0) + 1
        if lost < states.MAX_LOST_CLAIMS:
            return {"delivery.state": State.PENDING.value, "delivery.lostClaims": lost}
        text = states.LOST_TOO_OFTEN.format(count=lost)
        return {**self._ended(State.ERROR, text, now), "delivery.lostClaims": 0}

    def _unknown(self, now: datetime) -> Document:
        if self._lease_expired == "retry":
            return {"delivery.state": State.RETRY.value, "delivery.error": states.LEASE_EXPIRED}
        return {**self._ended(State.ERROR, states.LEASE_EXPIRED, now), "delivery.inDoubt": True}

    def _ended(self, state: State, error: str, now: datetime) -> Document:
        changes: Document = {
            "delivery.state": state.value,
            "delivery.error": error,
            "delivery.endTime": now,
        }
        expire = states.expire_time(now, self._ttl)
        if expire is not None:
            changes["delivery.expireAt"] = expire
        return changes

    def _find(self, find: tuple[Document, dict[str, Any]], limit: int) -> list[Candidate]:
        query, options = find
        found = self._mails.find(query, PROJECTION, limit=limit, **options)
        return [Candidate.of(document) for document in found]


def _not_after(now: datetime) -> Document:
    """Match an earlier time, and whatever is no time at all."""
    return {"$not": {"$gt": now}}

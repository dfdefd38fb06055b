"""The queries of the leader's sweep: each an index scan over the few that are not done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from pymongo import UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from config.mongo import Document
from tasks.clock import Now
from tasks.delivery import ids, states
from tasks.delivery.candidate import PROJECTION, Candidate, milliseconds
from tasks.delivery.indexes import LIVE
from tasks.delivery.malformed import Malformed
from tasks.delivery.spans import Span
from tasks.delivery.states import Phase, State
from tasks.delivery.unqueued import Unqueued


#: What makes sense only while a mail is in work or waits.
_PASSING = {"delivery.phase": "", "delivery.waitsFor": ""}
#: That there is one, and nothing of it: not even every `_id` can be read.
_NOTHING = {"_id": 0, "there": {"$literal": True}}
#: Leases last an hour at most (LEASE_SECONDS): one of a day is forged, and would hold the mail.
_LONGEST_LEASE = timedelta(days=1)
#: Bytes; ours are shorter.
_LONGEST_TOKEN = 400


def _number(path: str) -> Document:
    return {"$cond": [{"$isNumber": path}, path, None]}


def _short_text(path: str) -> Document:
    is_short = {"$lte": [{"$strLenBytes": path}, _LONGEST_TOKEN]}
    is_text = {"$eq": [{"$type": path}, "string"]}
    return {"$cond": [is_text, {"$cond": [is_short, path, None]}, None]}


#: Of each no more than one of ours may be: whoever may insert may write 15 MB there.
_LEASE_FIELDS = {
    "worker": _short_text("$delivery.worker"),
    "attempts": _number("$delivery.attempts"),
    "claimed": {"$eq": ["$delivery.phase", Phase.CLAIMED.value]},
    "lostClaims": _number("$delivery.lostClaims"),
}
_IS_DATE = {"$eq": [{"$type": "$$this"}, "date"]}
_PLANNED = "$delivery.nextAttemptTime"
#: Of a list of times, which nobody but a forger writes, the first.
_FIRST_TIME = {
    "_id": 0,
    "time": {
        "$cond": [
            {"$isArray": _PLANNED},
            {"$min": {"$filter": {"input": _PLANNED, "cond": _IS_DATE}}},
            _PLANNED,
        ]
    },
}


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
        return self._mails.find_one({"delivery.state": state}, _NOTHING, hint=LIVE) is not None

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
        for first in self._mails.find(query, _FIRST_TIME, limit=1, **options):
            return milliseconds(first["time"])
        return None

    def expired_leases(self, limit: int) -> list[Document]:
        """Find documents whose worker did not end them in time."""
        query = {"delivery.state": State.PROCESSING, **_without_lease(self._now())}
        return self._read(query, _LEASE_FIELDS, limit=limit, hint=LIVE)

    def end_leases(self, documents: Sequence[Document]) -> int:
        """Settle documents with expired leases; return how many were."""
        now = self._now()
        for each in documents:
            if "fault" in each:
                self._malformed.refuse_id(ids.which(each), each["fault"])
        named = [each for each in documents if "fault" not in each]
        requests = [self._end_lease(each, now) for each in named]
        try:
            matched = self._mails.bulk_write(requests, ordered=False).matched_count if named else 0
        except BulkWriteError as error:
            self._malformed.settle_all(error, [ids.which(each) for each in named])
            return len(documents)
        return matched + len(documents) - len(named)

    def _end_lease(self, found: Document, now: datetime) -> UpdateOne:
        query = {
            "_id": found["_id"],
            "delivery.state": State.PROCESSING,
            **_without_lease(now),
        }
        query |= {
            f"delivery.{name}": found[name]
            for name in ("worker", "attempts")
            # Else nothing of a worker's stands there, or nothing that can be named.
            if found[name] is not None and "\N{REPLACEMENT CHARACTER}" not in str(found[name])
        }
        changes = self._unknown(now)
        if found["claimed"]:
            query["delivery.phase"] = Phase.CLAIMED
            changes = self._unsent(found, now)
        set_ = {"delivery.leaseExpireTime": None, **changes}
        return UpdateOne(query, {"$set": set_, "$unset": _PASSING})

    def _unsent(self, found: Document, now: datetime) -> Document:
        """Nothing was sent: the stream sees PENDING and enqueues it again, but not for ever."""
        before = found["lostClaims"]
        lost = (max(before, 0) if isinstance(before, int) else 0) + 1
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
        found = self._read(query, PROJECTION, limit=limit, **options)
        return [Candidate.of(document) for document in found]

    def _read(self, query: Document, fields: Document, **options: Any) -> list[Document]:
        found: list[Document] = []
        size = 0
        with ids.find(self._mails, query, fields, **options) as batches:
            for batch in batches:
                found += ids.read(batch)
                size += len(batch)
                if size > ids.ENOUGH:
                    break
        return found


def _without_lease(now: datetime) -> Document:
    """Match an earlier time, one too late to be true, and whatever is no time at all."""
    path = "delivery.leaseExpireTime"
    return {"$or": [{path: {"$not": {"$gt": now}}}, {path: {"$gt": now + _LONGEST_LEASE}}]}

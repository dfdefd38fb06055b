"""None → PENDING, and the time at which a waiting mail was enqueued."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, WriteError

from config.mongo import Document
from tasks.clock import Now
from tasks.delivery import malformed, states
from tasks.delivery.candidate import Candidate, Kind, Time
from tasks.delivery.ids import is_plain, key
from tasks.delivery.malformed import Malformed
from tasks.delivery.states import IS_WAITING
from tasks.lanes import Lane


@dataclass(slots=True)
class _Write:
    """One update for all its members."""

    condition: Document
    changes: Document
    enqueued: bool
    members: list[Candidate] = field(default_factory=list)


class Admission:
    """Writes PENDING into new mails, and `enqueueTime` into all that are about to be published.

    With write concern w:1: an admission that a fail-over rolls back is found by the sweep.
    """

    def __init__(self, mails: Collection[Document], now: Now, ttl: timedelta | None) -> None:
        self._mails = mails
        self._ttl = ttl
        self._malformed = Malformed(mails, now, ttl)
        #: A mail enqueued before this may never have been published: that watcher died.
        self._suspect_before = now()
        #: Some were not there: their ids, as they were read, name nothing.
        self.missed = False

    def admit(
        self,
        candidates: Iterable[Candidate],
        now: datetime,
        closed: AbstractSet[Lane] = frozenset(),
    ) -> list[Candidate]:
        """Write the states; return the candidates whose ids are to be published now.

        `now` is their `enqueueTime`, and must be that of the published messages, too.
        Mails of `closed` lanes become PENDING and wait in MongoDB for the feeder. Doing it again
        with the same candidates is harmless. Raises PyMongoError.
        """
        ready: list[Candidate] = []
        for write in self._plan(candidates, closed, now):
            matched = self._perform(write)
            if write.enqueued:
                complete = matched == len(write.members)
                ready += write.members if complete else self._unpublished(write.members, now)
        return ready

    def _plan(
        self, candidates: Iterable[Candidate], closed: AbstractSet[Lane], now: datetime
    ) -> Iterator[_Write]:
        together: dict[tuple[Kind, bool], _Write] = {}
        for candidate in candidates:
            kind = candidate.kind
            if kind is Kind.MALFORMED:
                self._malformed.refuse(candidate.which, candidate.bson_type)
            elif kind is Kind.OTHER:
                continue
            elif candidate.fault:
                self._malformed.refuse_id(candidate.which, candidate.fault)
            elif due := candidate.due(now):
                yield self._write(kind, now, enqueued=False, due=due, members=[candidate])
            else:
                enqueued = candidate.lane not in closed
                write = together.get((kind, enqueued))
                if write is None:
                    write = self._write(kind, now, enqueued=enqueued)
                    together[kind, enqueued] = write
                write.members.append(candidate)
        yield from together.values()

    def _write(
        self,
        kind: Kind,
        now: datetime,
        *,
        enqueued: bool,
        due: Time | None = None,
        members: list[Candidate] | None = None,
    ) -> _Write:
        if kind is Kind.WAITING:
            condition: Document = {"delivery.state": IS_WAITING}
            changes: Document = {
                "delivery.enqueueTime": now if enqueued else None,
                "delivery.nextAttemptTime": due,
            }
        else:
            delivery = states.pending(now, self._ttl, enqueued=enqueued, due=due)
            condition = {"delivery" if kind is Kind.NEW else "delivery.state": None}
            dotted = _dotted({**delivery, "nextAttemptTime": due})
            changes = {"delivery": delivery} if kind is Kind.NEW else dotted
        return _Write(condition, {"$set": changes}, enqueued, members or [])

    def _perform(self, write: _Write) -> int:
        ids = [member.id for member in write.members]
        try:
            query = {"_id": {"$in": ids}, **write.condition}
            return self._mails.update_many(query, write.changes).matched_count
        except WriteError as error:
            if not malformed.is_about_the_document(error.code):
                raise
            return self._perform_one_by_one(write)

    def _perform_one_by_one(self, write: _Write) -> int:
        """Spare the others when one document refuses the update (no room below 16 MB, say)."""
        requests = [
            UpdateOne({"_id": member.id, **write.condition}, write.changes)
            for member in write.members
        ]
        try:
            return self._mails.bulk_write(requests, ordered=False).matched_count
        except BulkWriteError as error:
            self._malformed.settle_all(error, [member.which for member in write.members])
            return int(error.details["nMatched"])

    def _unpublished(self, members: list[Candidate], now: datetime) -> list[Candidate]:
        """Keep those that this call enqueued, or that a dead watcher may not have published."""
        query: Document = {
            "_id": {"$in": [member.id for member in members]},
            "delivery.state": IS_WAITING,
        }
        suspect = {**query, "delivery.enqueueTime": {"$lt": self._suspect_before}}
        self._mails.update_many(suspect, {"$set": {"delivery.enqueueTime": now}})
        mine = {**query, "delivery.enqueueTime": now}
        found = {key(each["_id"]) for each in self._mails.find(mine, {"_id": 1})}
        self._note_missed(member.id for member in members if key(member.id) not in found)
        return [member for member in members if key(member.id) in found]

    def _note_missed(self, others: Iterable[Any]) -> None:
        """Look whether those are there whose ids may have been read as others."""
        doubtful = [id for id in others if not is_plain(id)]
        if doubtful:
            there = self._mails.find({"_id": {"$in": doubtful}}, {"_id": 1})
            self.missed |= sum(1 for _ in there) < len(doubtful)


def _dotted(delivery: Document) -> dict[str, Any]:
    return {f"delivery.{name}": value for name, value in delivery.items()}

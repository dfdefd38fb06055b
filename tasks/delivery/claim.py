"""PENDING, RETRY, none → PROCESSING, and the point of no return."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import bson
import structlog
from bson import DBRef
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import ReturnDocument, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure, OperationFailure, WriteConcernError, WriteError

from config.mongo import CODEC, Document
from tasks.clock import Now
from tasks.delivery import lease, malformed
from tasks.delivery.candidate import DBREF
from tasks.delivery.earlier import Earlier
from tasks.delivery.ids import key
from tasks.delivery.malformed import Malformed
from tasks.delivery.states import Phase, State


#: Part of the lease kept back for writing the outcome before it runs out.
MARGIN = 0.1
#: Part of a worker's time for a mail with which its transaction may begin; with less, the server's
#: answer to the content might come too late, and nobody would know.
_ENOUGH = 0.75
#: A fail-over takes 11–21 s; a claim is worth no more: the sweep enqueues the id again.
_TRIES, _PAUSE = 5, 0.5

#: What is asked of a document once its mail is composed.
_KEPT = ("idempotencyKey", "priority")
_KEPT_OF_DELIVERY = ("startTime", "retries", "throttled", "info", "errors", "waitsFor")

#: Bytes that a group's documents may have together, and how fast a large one is forgotten.
READ_BYTES, _FORGETS = 4_000_000, 0.7
_RAW = CODEC.with_options(document_class=RawBSONDocument)
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Claim:
    """One attempt at one document, this worker's alone until the lease runs out.

    `token` and `attempt` are the fence: no other attempt ever has the same two.
    """

    id: Any
    document: Document
    token: str
    attempt: int
    #: time.monotonic() until which this worker may work on it.
    deadline: float
    phase: Phase = Phase.CLAIMED

    @property
    def earlier(self) -> Earlier:
        """What earlier attempts of an automatic retry have settled."""
        return Earlier.of(self.document)

    def let_go(self) -> None:
        """Forget what the mail was composed of; a group of documents would fill the memory."""
        delivery = _only(_KEPT_OF_DELIVERY, self.document["delivery"])
        self.document = {**_only(_KEPT, self.document), "delivery": delivery}

    @property
    def fence(self) -> Document:
        """Make the query that finds the document while this attempt is its last."""
        return {"_id": self.id, "delivery.worker": self.token, "delivery.attempts": self.attempt}


class Claims:
    """Takes and keeps leases. Needs a client with retryWrites=False for cheap claims.

    A claim is written with w:1. `begin_sending` writes with w:majority, on condition of the claims,
    and so makes them majority-committed before anything is sent.
    """

    def __init__(
        self,
        mails: Collection[Document],
        now: Now,
        lease_seconds: float,
        ttl: timedelta | None = None,
        *,
        bulk: bool = False,
    ) -> None:
        self._bulk = bulk
        self._mails = mails.with_options(write_concern=WriteConcern(w=1))
        self._raw = self._mails.with_options(_RAW)
        self._majority = mails.with_options(write_concern=WriteConcern(w="majority"))
        self._now = now
        self._lease = timedelta(seconds=lease_seconds)
        self._usable = lease_seconds * (1 - MARGIN)
        #: Bytes of the largest document of late; at first a large one is expected.
        self._largest = float(READ_BYTES)
        self._malformed = Malformed(self._mails, now, ttl)

    @property
    def at_once(self) -> int:
        """How many mails to claim together: large documents one by one, or they fill the memory."""
        return max(1, int(READ_BYTES / self._largest)) if self._bulk else 1

    def claim(self, id: Any, token: str, *, may_be_ours: bool = False) -> Claim | None:
        """Take the document if it waits to be sent; None when it does not, or is gone.

        `token` is this batch's and unlike any other's: after a broken connection it tells whether
        the claim had reached the server. `may_be_ours`: it may carry the token already. Raises
        PyMongoError when the server stays away.
        """
        for attempt in range(1, _TRIES + 1):
            started = time.monotonic()
            try:
                look = attempt > 1 or may_be_ours
                document = self._find_own(id, token) if look else None
                document = document or self._find_and_claim(id, token)
            except ConnectionFailure:
                if attempt == _TRIES:
                    raise
                time.sleep(_PAUSE * attempt)
            except OperationFailure as error:
                if not malformed.is_about_the_document(error.code):
                    raise
                self._malformed.settle({"_id": id}, error.code, str(error))
                return None
            except BSONError:
                self._malformed.refuse_unreadable({"_id": id})
                return None
            else:
                return self._claim_of(document, token, started) if document else None
        raise AssertionError("unreachable: the last try returns or raises")

    def claim_group(self, ids: Sequence[Any], token: str) -> Iterator[Claim]:
        """Take those that wait by one write, and read them as they are asked for.

        The same conditions and the same fence for each document as `claim`, at a fraction of the
        cost. When one document of the group cannot be claimed like the others, all are claimed one
        by one. Raises PyMongoError when the server stays away, also while they are read.
        """
        for attempt in range(1, _TRIES + 1):
            started = time.monotonic()
            try:
                documents = self._find_and_claim_all(ids, token)
            except ConnectionFailure:
                # Those that were claimed carry the token: the next try finds them.
                if attempt == _TRIES:
                    raise
                time.sleep(_PAUSE * attempt)
            except WriteError as error:
                if not malformed.is_about_the_document(error.code):
                    raise
                return self._claim_one_by_one(ids, token)
            else:
                return self._read(documents, ids, token, started)
        raise AssertionError("unreachable: the last try returns or raises")

    def begin_sending(self, claims: Sequence[Claim]) -> list[Claim]:
        """Pass the point of no return with those whose lease still holds, and renew it.

        Returns them in order. A claim that is not returned must not be sent: another worker may
        have the document. Tried again until the lease ends; then raises PyMongoError, and nothing
        of the group may be sent.
        """
        deadline = min(claim.deadline for claim in claims)
        while True:
            started = time.monotonic()
            try:
                kept = self._mark_sending(claims)
            except (ConnectionFailure, WriteConcernError) as error:
                if started + _PAUSE > deadline:
                    raise
                _log.warning("lease.renewal_failed", error=str(error), mails=len(claims))
                time.sleep(_PAUSE)
            else:
                break
        for claim in kept:
            claim.phase = Phase.SENDING
            claim.deadline = started + self._usable
        return kept

    def is_worn(self, claim: Claim) -> bool:
        """Tell whether the lease must be renewed (`begin_sending`) before a transaction begins."""
        return claim.deadline - time.monotonic() < self._usable * _ENOUGH

    def _mark_sending(self, claims: Sequence[Claim]) -> list[Claim]:
        now = self._now()
        query = {
            "_id": {"$in": [claim.id for claim in claims]},
            "delivery.worker": claims[0].token,
            "delivery.state": State.PROCESSING.value,
            "delivery.leaseExpireTime": {"$gt": now},
        }
        changes = {
            "delivery.phase": Phase.SENDING.value,
            "delivery.leaseExpireTime": now + self._lease,
        }
        result = self._majority.update_many(query, {"$set": changes})
        if result.matched_count == len(claims):
            return list(claims)
        held = {key(document["_id"]) for document in self._mails.find(query, {"_id": 1})}
        lost = [claim.id for claim in claims if key(claim.id) not in held]
        _log.warning("lease.lost", ids=lost)
        return [claim for claim in claims if key(claim.id) in held]

    def read_again(self, claim: Claim) -> Document | None:
        """Read the document of a claim that has let it go; None: it is not ours any more."""
        return self._mails.find_one(claim.fence)

    def _read(
        self, documents: Iterator[RawBSONDocument], ids: Iterable[Any], token: str, started: float
    ) -> Iterator[Claim]:
        unread = {key(id): id for id in ids}
        unreadable = False
        for raw in documents:
            # No variable here may hold the document: this frame waits while its mail is composed.
            try:
                claim = self._claim_of(self._decoded(raw), token, started)
            except BSONError:
                unreadable = True
                continue
            if claim:
                unread.pop(key(claim.id), None)
                yield claim
        if unreadable:
            yield from self._claim_one_by_one(unread.values(), token)

    def _decoded(self, raw: RawBSONDocument) -> Document:
        self._largest = max(len(raw.raw), self._largest * _FORGETS)
        return bson.decode(raw.raw, codec_options=self._mails.codec_options)

    def _claim_one_by_one(self, ids: Iterable[Any], token: str) -> Iterator[Claim]:
        """Those that the failed write has reached already are ours."""
        claims = (self.claim(id, token, may_be_ours=True) for id in ids)
        return (claim for claim in claims if claim)

    def _find_and_claim(self, id: Any, token: str) -> Document | None:
        query, update = lease.claiming({"_id": id}, token, self._now(), self._lease)
        raw = self._raw.find_one_and_update(query, update, return_document=ReturnDocument.AFTER)
        return None if raw is None else self._decoded(raw)

    def _find_and_claim_all(self, ids: Sequence[Any], token: str) -> Iterator[RawBSONDocument]:
        these = {"_id": {"$in": list(ids)}}
        query, update = lease.claiming(these, token, self._now(), self._lease)
        self._mails.update_many(query, update)
        found = self._raw.find({**these, **lease.own(token)})
        first = next(found, None)  # all that a broken connection can cost is tried again
        return iter(()) if first is None else itertools.chain([first], found)

    def _find_own(self, id: Any, token: str) -> Document | None:
        return self._mails.find_one({"_id": id, **lease.own(token)})

    def _claim_of(self, document: Document, token: str, started: float) -> Claim | None:
        delivery = document["delivery"]
        if isinstance(delivery, DBRef):
            self._malformed.refuse({"_id": document["_id"]}, DBREF)
            return None
        attempts = delivery["attempts"]
        if not malformed.counts(attempts):
            self._malformed.refuse_attempts({"_id": document["_id"]})
            return None
        return Claim(document["_id"], document, token, int(attempts), started + self._usable)


def _only(names: Iterable[str], document: Document) -> Document:
    return {name: document[name] for name in names if name in document}

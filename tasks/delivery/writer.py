"""PROCESSING → SUCCESS | ERROR: results written together as they come, tried until it succeeds."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from bson.errors import BSONError
from pymongo import UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError

from config.mongo import Document
from tasks.clock import Now
from tasks.delivery import malformed, states
from tasks.delivery.malformed import Malformed
from tasks.delivery.results import Result
from tasks.delivery.states import State
from tasks.observing.pulses import Pulse


#: Results in one write; from 10 to 50 the cost of one falls by two thirds.
GROUP = 100
#: Seconds a result waits for company once results have begun to come together.
LINGER = 0.02
#: Seconds between two tries while the primary is away.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0

#: What the driver raises for a value that BSON cannot hold.
_NOT_ENCODED = (BSONError, OverflowError, TypeError, ValueError)

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Ticket:
    result: Result
    done: threading.Event = field(default_factory=threading.Event)


class ResultWriter:
    """One thread of a worker process that writes every result with w:majority.

    A result is the truth about a mail that may have gone out: it is never given up while the
    process lives. `put` returns at once; `wait` on what it returned ends when it is written.
    """

    def __init__(
        self,
        mails: Collection[Document],
        now: Now,
        ttl: timedelta | None,
        pulse: Pulse | None = None,
    ) -> None:
        """Begin; `pulse` beats with every try to write."""
        self._mails = mails.with_options(write_concern=WriteConcern(w="majority"))
        self._now = now
        self._ttl = ttl
        self._malformed = Malformed(self._mails, now, ttl)
        self._tickets: queue.SimpleQueue[_Ticket] = queue.SimpleQueue()
        self._last_group = 1
        self._pulse = pulse or Pulse("results", math.inf)
        self._pulse.rest()
        threading.Thread(target=self._run, name="results", daemon=True).start()

    def put(self, result: Result) -> threading.Event:
        """Hand over a result; the event is set when it stands in the document."""
        ticket = _Ticket(result)
        self._tickets.put(ticket)
        return ticket.done

    def _run(self) -> None:
        while True:
            tickets = self._gather()
            self._last_group = len(tickets)
            try:
                self._write_until_done([ticket.result for ticket in tickets])
            except Exception:  # noqa: BLE001 - a mistake of ours; this thread must live for the other mails
                _log.exception("results.failed", ids=[t.result.claim.id for t in tickets])
            self._pulse.rest()
            for ticket in tickets:
                ticket.done.set()

    def _gather(self) -> list[_Ticket]:
        tickets = [self._tickets.get()]
        linger = LINGER if self._last_group > 1 else 0.0
        end = time.monotonic() + linger
        while len(tickets) < GROUP:
            try:
                tickets.append(self._tickets.get(timeout=max(end - time.monotonic(), 0)))
            except queue.Empty:
                break
        return tickets

    def _write_until_done(self, results: list[Result]) -> None:
        pause = _FIRST_PAUSE
        while results:
            self._pulse.beat()
            try:
                results = self._write(results)
            except (*_NOT_ENCODED, PyMongoError) as error:
                if _is_about_a_result(error):
                    results = self._write_apart(results, error)
                    continue
                _log.warning("results.waiting", error=str(error), mails=len(results))
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _write_apart(self, results: list[Result], error: Exception) -> list[Result]:
        """Spare the others when driver or server cannot take one of the results."""
        if len(results) > 1:
            for result in results:
                self._write_until_done([result])
            return []
        [result] = results
        _log.error("results.refused", id=result.claim.id, error=str(error), state=result.state)
        minimal = result.minimal()
        return [] if minimal == result else [minimal]

    def _write(self, results: list[Result]) -> list[Result]:
        """Write them; return those to be written again, smaller."""
        again: list[Result] = []
        now = self._now()
        refused = 0
        try:
            written = self._mails.bulk_write(self._requests(results, now), ordered=False)
            matched = written.matched_count
        except BulkWriteError as error:
            if error.details["writeConcernErrors"]:
                raise
            matched = error.details["nMatched"]
            failures = error.details["writeErrors"]
            if not all(malformed.is_about_the_document(each["code"]) for each in failures):
                raise  # the server's trouble: it passes
            refused = len(failures)
            for failure in failures:
                again += self._refused(results[failure["index"]], failure["code"])
        if matched + refused != len(results):
            self._explain(results)
        return again

    def _requests(self, results: Sequence[Result], now: datetime) -> list[UpdateOne]:
        expire = states.expire_time(now, self._ttl)
        return [
            UpdateOne({**result.claim.fence, "$or": states.UNDECIDED}, result.changes(now, expire))
            for result in results
        ]

    def _refused(self, result: Result, code: int) -> list[Result]:
        _log.error("results.refused", id=result.claim.id, code=code, state=result.state)
        if code not in malformed.TOO_LARGE:
            return []
        minimal = result.minimal()
        if minimal != result:
            return [minimal]
        now = self._now()
        delivery = result.whole(now, states.expire_time(now, self._ttl))
        self._malformed.move_away({"_id": result.claim.id}, delivery)
        return []

    def _explain(self, results: Sequence[Result]) -> None:
        """Log the results that found no such attempt; most were written by an earlier try."""
        for result in results:
            query = {"_id": result.claim.id}
            found = self._mails.find_one(query, {"delivery": 1})
            if found is None:
                continue
            delivery = states.subdocument(found)
            same = delivery.get("worker") == result.claim.token
            if not (same and delivery.get("state") == result.state):
                _log.warning(
                    "results.overtaken",
                    id=result.claim.id,
                    result=result.state,
                    state=delivery.get("state"),
                    accepted=result.state is State.SUCCESS,
                )


def _is_about_a_result(error: Exception) -> bool:
    """Tell whether the whole write failed because a result is too large or cannot be encoded."""
    if isinstance(error, OperationFailure):
        return malformed.is_about_the_document(error.code)
    return isinstance(error, _NOT_ENCODED)

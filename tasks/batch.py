"""The delivery of a batch of mails: claim, compose, pass the point of no return, send, record."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from config.mongo import Document
from tasks.delivery import results
from tasks.delivery.candidate import key
from tasks.delivery.claim import Claim, Claims
from tasks.delivery.results import Result
from tasks.delivery.states import State
from tasks.envelope import Mail
from tasks.errors import MailError, Transient
from tasks.pace import Pace
from tasks.transport import Session, SmtpTransport, Withdrawn


#: Seconds after which a batch asks whether to give its rest back, so that a slow server never
#: keeps a mail of high priority waiting behind a batch of newsletters.
SLICE = 1.0
#: Bytes of composed mails held by one thread at a time.
GROUP_BYTES = 4_000_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a batch works with; one of each in a process, shared by its threads."""

    claims: Claims
    compose: Callable[[Document], Mail]
    transport: SmtpTransport
    record: Callable[[Result], threading.Event]
    #: Takes ids that were not begun, and claims of which nothing was sent.
    put_back: Callable[[Sequence[Any], Sequence[Claim]], None]
    #: Tells when the next automatic attempt begins, after so many of them; None: there is none.
    retry_at: Callable[[int], datetime | None]
    #: Tells whether the rest of a batch, so many mails, is better off in other hands.
    gives_way: Callable[[int], bool]
    pace: Pace
    stopping: threading.Event


@dataclass(slots=True)
class Tally:
    """What became of a batch, in numbers; Flower shows it as the task's result."""

    sent: int = 0
    failed: int = 0
    postponed: int = 0
    not_claimed: int = 0
    put_back: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail in our hands that only has to be sent."""

    claim: Claim
    mail: Mail


class Batch:
    """One batch in the hands of one thread."""

    def __init__(self, parts: Parts, token: str) -> None:
        self._parts = parts
        self._token = token
        self._recorded: list[threading.Event] = []
        self._not_begun: list[Claim] = []
        self._slice_end = 0.0
        self.tally = Tally()

    def deliver(self, ids: Iterable[Any]) -> Tally:
        """Attempt every mail that waits; what is left when it gives way or stops is put back.

        Returns when every outcome stands in its document. Raises PyMongoError when MongoDB stays
        away; the sweep then finds what is left.
        """
        rest = deque({key(id): id for id in ids}.values())
        self._slice_end = time.monotonic() + SLICE
        try:
            while rest and not self._ends(len(rest)):
                self._send_group(self._prepare_group(rest))
        finally:
            self._put_back(list(rest))
            for written in self._recorded:
                written.wait()
        return self.tally

    def _ends(self, left: int) -> bool:
        if self._parts.stopping.is_set():
            return True
        if time.monotonic() < self._slice_end:
            return False
        self._slice_end = time.monotonic() + SLICE
        return self._parts.gives_way(left)

    def _prepare_group(self, rest: deque[Any]) -> list[Prepared]:
        """Claim and compose the next mails. Nothing here can send."""
        group: list[Prepared] = []
        size, room = self._parts.pace.group_size(), GROUP_BYTES
        try:
            while rest and len(group) < size and room > 0:
                claim = self._claim(rest[0])
                rest.popleft()
                mail = self._compose(claim) if claim else None
                if claim and mail:
                    group.append(Prepared(claim, mail))
                    room -= len(mail.content)
        except BaseException:
            self._not_begun += [prepared.claim for prepared in group]
            raise
        return group

    def _claim(self, id: Any) -> Claim | None:
        try:
            claim = self._parts.claims.claim(id, self._token)
        except PyMongoError:
            raise
        except Exception:  # noqa: BLE001 - a document the driver cannot read, say
            # Its lease runs out, and the sweep counts that.
            _log.exception("mail.not_claimed", id=id)
            claim = None
        if claim is None:
            self.tally.not_claimed += 1
        return claim

    def _compose(self, claim: Claim) -> Mail | None:
        try:
            return claim.earlier.leave(self._parts.compose(claim.document))
        except MailError as error:
            self._record(results.of_failure(claim, None, error))
        except Exception as error:  # noqa: BLE001 - one mail's trouble must not be the batch's
            _log.exception("mail.not_composed", id=claim.id)
            self._record(results.of_bug(claim, error, sending=False))
        return None

    def _send_group(self, group: list[Prepared]) -> None:
        if not group:
            return
        started = time.monotonic()
        queue = deque(group)
        try:
            self._send(queue)
        except PyMongoError:
            self._not_begun += [prepared.claim for prepared in queue]
            raise
        finally:
            self._parts.pace.measured(time.monotonic() - started, len(group))

    def _send(self, queue: deque[Prepared]) -> None:
        """Send what is in the queue; a mail leaves it when its transaction begins."""
        alone = len(queue) == 1
        held = False
        while queue:
            try:
                with self._parts.transport.session(queue[0].claim.deadline) as session:
                    if not alone and not held:
                        self._begin_sending(queue)
                        held = True
                    self._send_on(session, queue, alone=alone)
            except MailError as error:
                # No connection: the rest would meet the same refusal.
                while queue:
                    prepared = queue.popleft()
                    self._record(self._failure(prepared, error))

    def _begin_sending(self, queue: deque[Prepared]) -> None:
        """Pass the point of no return, once for all; mails whose lease is lost leave the queue."""
        kept = self._parts.claims.begin_sending([prepared.claim for prepared in queue])
        if len(kept) == len(queue):
            return
        self.tally.not_claimed += len(queue) - len(kept)
        still = {id(claim) for claim in kept}
        for prepared in list(queue):
            if id(prepared.claim) not in still:
                queue.remove(prepared)

    def _send_on(self, session: Session, queue: deque[Prepared], *, alone: bool) -> None:
        """Send until the queue is empty or a mail leaves the session in doubt."""
        good = True
        while queue and good:
            prepared = queue.popleft()
            if time.monotonic() > prepared.claim.deadline:
                self._not_begun.append(prepared.claim)
                continue
            good = self._submit(session, prepared, alone=alone)

    def _submit(self, session: Session, prepared: Prepared, *, alone: bool) -> bool:
        """Send one mail and record its outcome; False when the session may be broken."""
        claim, mail = prepared.claim, prepared.mail

        def before_data() -> bool:
            """Pass the point of no return between RCPT and DATA: the smallest window there is."""
            return bool(self._parts.claims.begin_sending([claim]))

        try:
            outcome = session.submit(
                mail, deadline=claim.deadline, before_data=before_data if alone else None
            )
        except Withdrawn:
            self.tally.not_claimed += 1
        except MailError as error:
            self._record(self._failure(prepared, error))
            return False
        except PyMongoError:
            self._not_begun.append(claim)
            raise
        except Exception as error:  # noqa: BLE001 - one mail's trouble must not be the batch's
            _log.exception("mail.not_sent", id=claim.id)
            self._record(results.of_bug(claim, error, sending=True))
            return False
        else:
            retry_at = self._retry_at(claim) if outcome.pending else None
            self._record(results.of_outcome(claim, mail, outcome, retry_at))
        return True

    def _failure(self, prepared: Prepared, error: MailError) -> Result:
        claim, mail = prepared.claim, prepared.mail
        retry_at = self._retry_at(claim) if isinstance(error, Transient) else None
        return results.of_failure(claim, mail, error, retry_at)

    def _retry_at(self, claim: Claim) -> datetime | None:
        return self._parts.retry_at(claim.earlier.retries)

    def _record(self, result: Result) -> None:
        if result.state is State.SUCCESS:
            self.tally.sent += 1
        elif result.state is State.PENDING:
            self.tally.postponed += 1
        else:
            self.tally.failed += 1
        self._recorded.append(self._parts.record(result))

    def _put_back(self, ids: list[Any]) -> None:
        if ids or self._not_begun:
            self.tally.put_back = len(ids) + len(self._not_begun)
            self._parts.put_back(ids, self._not_begun)

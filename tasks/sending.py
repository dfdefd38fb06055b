"""The sending of a group of mails: connect, pass the point of no return, submit, record."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime

import structlog
from pymongo.errors import PyMongoError

from tasks.delivery import results
from tasks.delivery.claim import Claim
from tasks.delivery.results import Result
from tasks.envelope import Mail
from tasks.errors import MailError, Transient
from tasks.ledger import Ledger
from tasks.parts import Parts
from tasks.screening.screen import Prepared, tell_all
from tasks.transport import Session, Withdrawn


_log = structlog.get_logger(__name__)


class Sending:
    """Sends the groups of one batch, in the hands of one thread."""

    def __init__(self, parts: Parts, ledger: Ledger) -> None:
        self._parts = parts
        self._ledger = ledger

    def send(self, group: Sequence[Prepared]) -> None:
        """Attempt every mail of the group.

        Raises PyMongoError when MongoDB stays away; nothing was sent of the mails that had not
        begun, and they are in the ledger to be given back.
        """
        if not group:
            return
        started = time.monotonic()
        queue = deque(group)
        try:
            self._send(queue)
        except PyMongoError:
            self._ledger.give_back(prepared.claim for prepared in queue)
            raise
        finally:
            self._parts.pace.measured(time.monotonic() - started, len(group))

    def _send(self, queue: deque[Prepared]) -> None:
        """Send what is in the queue; a mail leaves it when its transaction begins."""
        alone = len(queue) == 1
        held = False
        while queue := self._in_time(queue):
            try:
                # The last was claimed last; the others' deadlines are looked at again.
                with self._parts.transport.session(queue[-1].claim.deadline) as session:
                    if not alone and not held:
                        self._begin_sending(queue)
                        held = True
                    self._send_on(session, queue, alone=alone)
            except MailError as error:
                # No connection: the rest would meet the same refusal.
                while queue:
                    self._fail(queue.popleft(), error)

    def _in_time(self, queue: deque[Prepared]) -> deque[Prepared]:
        """Give back those whose time was over before anything could be sent."""
        now = time.monotonic()
        late = [prepared for prepared in queue if now > prepared.claim.deadline]
        self._ledger.give_back(prepared.claim for prepared in late)
        for prepared in late:
            queue.remove(prepared)
        return queue

    def _begin_sending(self, queue: deque[Prepared]) -> None:
        """Pass the point of no return, once for all; mails whose lease is lost leave the queue."""
        kept = self._parts.claims.begin_sending([prepared.claim for prepared in queue])
        if len(kept) == len(queue):
            return
        self._ledger.tally.not_claimed += len(queue) - len(kept)
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
                self._ledger.give_back([prepared.claim])
                continue
            following = queue[0].mail if queue else None
            good = self._submit(session, prepared, following, alone=alone)

    def _submit(
        self, session: Session, prepared: Prepared, following: Mail | None, *, alone: bool
    ) -> bool:
        """Send one mail and record its outcome; False when the session may be broken."""
        claim, mail = prepared.claim, prepared.mail

        def before_data() -> bool:
            """Pass the point of no return between RCPT and DATA: the smallest window there is."""
            return bool(self._parts.claims.begin_sending([claim]))

        try:
            outcome = session.submit(
                mail,
                deadline=claim.deadline,
                before_data=before_data if alone else None,
                following=following,
            )
        except Withdrawn:
            self._ledger.tally.not_claimed += 1
        except MailError as error:
            self._fail(prepared, error)
            return False
        except PyMongoError:
            self._ledger.give_back([claim])
            raise
        except Exception as error:  # noqa: BLE001 - one mail's trouble must not be the batch's
            _log.exception("mail.not_sent", id=claim.id)
            self._ledger.record(results.of_bug(claim, error, sending=True))
            return False
        else:
            retry_at = self._retry_at(claim) if outcome.pending else None
            self._ledger.record(results.of_outcome(claim, mail, outcome, retry_at))
            tell_all(self._parts.listeners, prepared, outcome)
        return True

    def _fail(self, prepared: Prepared, error: MailError) -> None:
        self._ledger.record(self._failure(prepared, error))
        tell_all(self._parts.listeners, prepared, error)

    def _failure(self, prepared: Prepared, error: MailError) -> Result:
        claim, mail = prepared.claim, prepared.mail
        retry_at = self._retry_at(claim) if isinstance(error, Transient) else None
        return results.of_failure(claim, mail, error, retry_at)

    def _retry_at(self, claim: Claim) -> datetime | None:
        return self._parts.retry_at(claim.earlier.retries)

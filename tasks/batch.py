"""The delivery of a batch of mails: claim, compose, screen, send, record."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from tasks.claiming import Claiming
from tasks.delivery import results
from tasks.delivery.claim import Claim
from tasks.delivery.ids import key
from tasks.envelope import Mail
from tasks.errors import MailError
from tasks.ledger import Ledger, Tally
from tasks.parts import Parts
from tasks.screening.screen import Prepared, screen_all
from tasks.sending import Sending


#: Seconds after which a batch looks around, so that a slow server never keeps a mail of high
#: priority waiting behind a batch of newsletters, nor other hands idle.
LOOK_EVERY = 0.25
#: Seconds after which a group is sent as it is: while one mail waits for something from elsewhere,
#: the leases of the others run.
PREPARE_SECONDS = 1.0
#: Bytes of composed mails held by one thread at a time.
GROUP_BYTES = 4_000_000

_log = structlog.get_logger(__name__)


class Batch:
    """One batch in the hands of one thread."""

    def __init__(self, parts: Parts, token: str) -> None:
        self._parts = parts
        self._next_look = 0.0
        self._begun = False
        self._ledger = Ledger(parts.record)
        self._claiming = Claiming(parts, self._ledger, token)
        self._sending = Sending(parts, self._ledger)

    def deliver(self, ids: Iterable[Any]) -> Tally:
        """Attempt every mail that waits; what is left when it gives way or stops is put back.

        Returns when every outcome stands in its document. Raises PyMongoError when MongoDB stays
        away; the sweep then finds what is left.
        """
        rest = deque({key(id): id for id in ids}.values())
        self._next_look = time.monotonic()
        if self._parts.pace.seconds(len(rest)) < LOOK_EVERY:
            self._next_look += LOOK_EVERY
        try:
            while (rest or self._claiming.is_open) and not self._ends(rest):
                self._sending.send(self._screen(self._prepare_group(rest)))
                self._put_back([])  # at once: their leases would run out while others are sent
        finally:
            self._claiming.give_back()
            self._put_back(list(rest))
            self._ledger.wait()
        return self._ledger.tally

    def _ends(self, rest: deque[Any]) -> bool:
        """Look around now and then: share the rest with idle hands, or give way."""
        if self._parts.stopping.is_set():
            return True
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + LOOK_EVERY
        ours = self._parts.pace.group_size()
        if len(rest) > ours and self._parts.others_idle():
            shared = [rest.pop() for _ in range(len(rest) - ours)]
            self._ledger.tally.put_back += len(shared)
            self._parts.put_back(shared[::-1], [])
        return self._begun and self._parts.gives_way()

    def _prepare_group(self, rest: deque[Any]) -> list[Prepared]:
        """Claim and compose the next mails. Nothing here can send."""
        group: list[Prepared] = []
        size, room = self._parts.pace.group_size(), GROUP_BYTES
        end = time.monotonic() + PREPARE_SECONDS
        self._begun = True
        try:
            while (rest or self._claiming.is_open) and len(group) < size and room > 0:
                if time.monotonic() > end:
                    break
                claim = self._claiming.next(rest)
                if claim and time.monotonic() > claim.deadline:
                    self._ledger.give_back([claim])
                    continue
                mail = self._compose(claim) if claim else None
                if claim and mail:
                    group.append(Prepared(claim, mail))
                    room -= mail.size
        except BaseException:
            self._ledger.give_back(prepared.claim for prepared in group)
            raise
        return group

    def _compose(self, claim: Claim) -> Mail | None:
        try:
            return self._composed(claim)
        except MailError as error:
            again = self._parts.again(claim, None, error)
            self._ledger.record(results.of_failure(claim, None, error, again))
        except PyMongoError:
            self._ledger.give_back([claim])
            raise
        except Exception as error:  # noqa: BLE001 - one mail's trouble must not be the batch's
            _log.exception("mail.not_composed", id=claim.id)
            self._ledger.record(results.of_bug(claim, error, sending=False))
        return None

    def _composed(self, claim: Claim) -> Mail:
        try:
            return claim.earlier.leave(self._parts.compose(claim.document, None))
        finally:
            claim.let_go()

    def _screen(self, group: list[Prepared]) -> list[Prepared]:
        """Keep those that may be sent now; the others have ended, or go back for a while."""
        try:
            screened = screen_all(self._parts.screens, group)
            if screened.waiting:
                self._parts.postpone(screened.waiting)
        except BaseException:
            self._ledger.give_back(prepared.claim for prepared in group)
            raise
        self._ledger.tally.waiting += len(screened.waiting)
        for result in screened.ended:
            self._ledger.record(result)
        return screened.send

    def _put_back(self, ids: list[Any]) -> None:
        claims, self._ledger.not_begun = self._ledger.not_begun, []
        if ids or claims:
            self._ledger.tally.put_back += len(ids) + len(claims)
            self._parts.put_back(ids, claims)

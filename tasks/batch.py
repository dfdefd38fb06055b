"""The delivery of a batch of mails: claim, compose, screen, send, record."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from tasks.delivery import results
from tasks.delivery.candidate import key
from tasks.delivery.claim import Claim
from tasks.envelope import Mail
from tasks.errors import MailError
from tasks.ledger import Ledger, Tally
from tasks.parts import Parts
from tasks.screening.screen import Prepared, screen_all
from tasks.sending import Sending


#: Seconds after which a batch asks whether to give its rest back, so that a slow server never
#: keeps a mail of high priority waiting behind a batch of newsletters.
SLICE = 1.0
#: Bytes of composed mails held by one thread at a time.
GROUP_BYTES = 4_000_000

_log = structlog.get_logger(__name__)


class Batch:
    """One batch in the hands of one thread."""

    def __init__(self, parts: Parts, token: str) -> None:
        self._parts = parts
        self._token = token
        self._slice_end = 0.0
        self._ledger = Ledger(parts.record)
        self._sending = Sending(parts, self._ledger)

    def deliver(self, ids: Iterable[Any]) -> Tally:
        """Attempt every mail that waits; what is left when it gives way or stops is put back.

        Returns when every outcome stands in its document. Raises PyMongoError when MongoDB stays
        away; the sweep then finds what is left.
        """
        rest = deque({key(id): id for id in ids}.values())
        self._slice_end = time.monotonic() + SLICE
        try:
            while rest and not self._ends(len(rest)):
                self._sending.send(self._screen(self._prepare_group(rest)))
        finally:
            self._put_back(list(rest))
            self._ledger.wait()
        return self._ledger.tally

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
            self._ledger.give_back(prepared.claim for prepared in group)
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
            self._ledger.tally.not_claimed += 1
        return claim

    def _compose(self, claim: Claim) -> Mail | None:
        try:
            return claim.earlier.leave(self._parts.compose(claim.document))
        except MailError as error:
            self._ledger.record(results.of_failure(claim, None, error))
        except Exception as error:  # noqa: BLE001 - one mail's trouble must not be the batch's
            _log.exception("mail.not_composed", id=claim.id)
            self._ledger.record(results.of_bug(claim, error, sending=False))
        return None

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
        claims = self._ledger.not_begun
        if ids or claims:
            self._ledger.tally.put_back = len(ids) + len(claims)
            self._parts.put_back(ids, claims)

"""The claims of a batch: a mail at a time, or a group at a time (CLAIM)."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from tasks.delivery.claim import Claim
from tasks.ledger import Ledger
from tasks.parts import Parts


_log = structlog.get_logger(__name__)


class Claiming:
    """Takes the mails of a batch in the hands of one thread.

    The documents of a group are read one by one: 25 of 16 MB are 400 MB, and several times that as
    Python's objects. The driver holds one answer of the server's, 16 MB at most.
    """

    def __init__(self, parts: Parts, ledger: Ledger, token: str) -> None:
        self._parts = parts
        self._ledger = ledger
        self._token = token
        #: Claimed, and not yet read.
        self._group: Iterator[Claim] = iter(())
        #: Whether there may be such mails.
        self.is_open = False

    def next(self, rest: deque[Any]) -> Claim | None:
        """Take the next mail that is claimed already, else claim from the front of `rest`.

        None: that one did not wait to be sent. Raises PyMongoError when MongoDB stays away; what
        was not claimed is still in `rest`.
        """
        if self.is_open:
            return self._read()
        size = min(self._parts.pace.claim_size(), self._parts.claims.at_once)
        ids = list(itertools.islice(rest, size))
        # For a single mail a group would take a round trip more.
        claim = self._claim(ids[0]) if len(ids) == 1 else self._claim_group(ids)
        for _ in ids:
            rest.popleft()
        return claim

    def give_back(self) -> None:
        """Note what was claimed and not read as not begun."""
        try:
            while self.is_open:
                claim = self._read()
                if claim:
                    claim.let_go()
                    self._ledger.give_back([claim])
        except PyMongoError as error:
            self.is_open = False
            _log.warning("batch.not_put_back", error=str(error))  # their leases run out

    def _claim_group(self, ids: list[Any]) -> Claim | None:
        self._group = self._parts.claims.claim_group(ids, self._token)
        self.is_open = True
        self._ledger.tally.not_claimed += len(ids)
        return self._read()

    def _read(self) -> Claim | None:
        claim = next(self._group, None)
        if claim is None:
            self.is_open = False
        else:
            self._ledger.tally.not_claimed -= 1
        return claim

    def _claim(self, id: Any) -> Claim | None:
        try:
            claim = self._parts.claims.claim(id, self._token)
        except PyMongoError:
            raise
        except Exception:  # noqa: BLE001 - one document's trouble must not be the batch's
            # Its lease runs out, and the sweep counts that.
            _log.exception("mail.not_claimed", id=id)
            claim = None
        if claim is None:
            self._ledger.tally.not_claimed += 1
        return claim

"""Mails in a row over a connection that is replaced when it died between two of them."""

from __future__ import annotations

import time
from collections.abc import Callable

from tasks.envelope import Mail
from tasks.outcome import Outcome
from tasks.transport import draft
from tasks.transport.connection import Broken, Connection
from tasks.transport.opening import Opener
from tasks.transport.transaction import Transaction


class Session:
    """A connection in the hands of one thread; made by `SmtpTransport.session`."""

    def __init__(self, connection: Connection, opener: Opener, *, max_messages: int) -> None:
        #: The one in use; out of step when it is good for nothing any more.
        self.connection = connection
        self._opener = opener
        self._max_messages = max_messages

    def submit(
        self, mail: Mail, *, deadline: float, before_data: Callable[[], bool] | None = None
    ) -> Outcome:
        """Send one mail, until `deadline` (seconds of time.monotonic()) at the latest.

        `before_data` is asked once, when the server took the sender and at least one recipient,
        and before it gets anything of the content; without it one round trip is saved. What it
        raises comes through, and nothing was sent.

        Raises Withdrawn when `before_data` says no, Permanent or Transient when nothing was sent,
        UnknownOutcome when the server had the whole mail and did not say what it did with it.
        """
        gate = _Once(before_data) if before_data else None
        server = self._opener.server
        while True:
            connection = self._ready(deadline)
            wire = draft.prepare(mail, connection.offers, server)
            if not wire.recipients:
                refused = tuple(each.recipient for each in wire.rejected)
                return Outcome((), rejected=refused, errors=wire.rejected)
            reused, connection.reused = connection.reused, True
            try:
                return Transaction(connection, wire, server).run(gate)
            except Broken as error:
                # Nothing of the content was written: on a connection that the server may have
                # closed since its last answer, this is no failure of the mail. A new one is used.
                if not reused or time.monotonic() >= deadline:
                    raise self._opener.lost(connection, error) from error

    def _ready(self, deadline: float) -> Connection:
        connection = self.connection
        if not connection.in_step or connection.used >= self._max_messages:
            connection.quit()
            self.connection = connection = self._opener.open(deadline)
        connection.deadline = deadline
        return connection


class _Once:
    """`before_data`, asked once even when the transaction has to begin again."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._passed = False

    def __call__(self) -> bool:
        self._passed = self._passed or self._ask()
        return self._passed

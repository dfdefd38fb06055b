"""Mails in a row over a connection that is replaced when it died between two of them."""

from __future__ import annotations

import time
from collections.abc import Callable

from tasks.envelope import Mail
from tasks.errors import Permanent
from tasks.outcome import Outcome
from tasks.transport import draft
from tasks.transport.connection import Broken, Connection
from tasks.transport.draft import Draft
from tasks.transport.opening import Opener
from tasks.transport.transaction import Transaction


class SmtpSession:
    """A connection in the hands of one thread; made by `SmtpTransport.session`."""

    def __init__(self, connection: Connection, opener: Opener, *, max_messages: int) -> None:
        #: The one in use; out of step when it is good for nothing any more.
        self.connection = connection
        self._opener = opener
        self._max_messages = max_messages
        #: A mail whose envelope was written already, and its transaction.
        self._ahead: tuple[Mail, Transaction] | None = None

    @property
    def is_new(self) -> bool:
        """Whether the connection has carried no mail yet."""
        return not self.connection.reused

    def extend(self, deadline: float) -> None:
        """Give the mail in hand more time."""
        self.connection.deadline = deadline

    def submit(
        self,
        mail: Mail,
        *,
        deadline: float,
        before_data: Callable[[], bool] | None = None,
        following: Mail | None = None,
    ) -> Outcome:
        """Send one mail, until `deadline` (seconds of time.monotonic()) at the latest.

        `before_data` is asked once, when the server took the sender and at least one recipient,
        and before it gets anything of the content; without it one round trip is saved. What it
        raises comes through, and nothing was sent. `following`: the mail that will be submitted
        next, without `before_data`; its envelope may go out together with this one's content,
        which saves another round trip. Nothing of it is sent until it is submitted.

        Raises Withdrawn when `before_data` says no, Permanent or Transient when nothing was sent,
        UnknownOutcome when the server had the whole mail and did not say what it did with it.
        """
        gate = _Once(before_data) if before_data else None
        ahead = None if gate else self._take_ahead(mail)
        while True:
            connection = self.connection if ahead else self._ready(deadline)
            connection.deadline = deadline
            if ahead is None:
                wire = draft.prepare(mail, connection.offers, self._opener.server)
                if not wire.recipients:
                    return _nobody(wire)
            reused, connection.reused = connection.reused, True
            transaction = ahead or Transaction(connection, wire, self._opener.server)
            try:
                return transaction.run(gate, self._announce(following))
            except Broken as error:
                if ahead is not None and error.silent:
                    # It took the mail before and then said nothing to commands that came with it.
                    self._opener.looks_ahead = False
                ahead = None
                # Nothing of the content was written: on a connection that the server may have
                # closed since its last answer, this is no failure of the mail. A new one is used.
                if not reused or time.monotonic() >= deadline:
                    raise self._opener.lost(connection, error) from error

    def _take_ahead(self, mail: Mail) -> Transaction | None:
        """Return the transaction of a mail that was announced; another mail gets a new connection.

        For the replies to that envelope will never be read.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is None or not ahead[1].said:
            return None
        return ahead[1] if ahead[0] is mail else None

    def _announce(self, following: Mail | None) -> Transaction | None:
        connection = self.connection
        room = connection.used + 1 < self._max_messages
        if following is None or not room or not self._opener.looks_ahead:
            return None
        try:
            wire = draft.prepare(following, connection.offers, self._opener.server)
        except Permanent:
            return None  # it will say so when its turn comes
        if not wire.recipients:
            return None
        transaction = Transaction(connection, wire, self._opener.server)
        self._ahead = following, transaction
        return transaction

    def _ready(self, deadline: float) -> Connection:
        connection = self.connection
        if not connection.in_step or connection.used >= self._max_messages:
            connection.quit()
            self.connection = connection = self._opener.open(deadline)
        return connection


def _nobody(wire: Draft) -> Outcome:
    refused = tuple(each.recipient for each in wire.rejected)
    return Outcome((), rejected=refused, errors=wire.rejected)


class _Once:
    """`before_data`, asked once even when the transaction has to begin again."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._passed = False

    def __call__(self) -> bool:
        self._passed = self._passed or self._ask()
        return self._passed

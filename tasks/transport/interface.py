"""What every way for mails to go out has in common.

A further one (SES, Mailgun) is a module with these two classes, and a line in `making.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from tasks.envelope import Mail
from tasks.outcome import Outcome


class Withdrawn(Exception):
    """`before_data` said no: nothing was sent, nothing will be."""


class Session(Protocol):
    """Mails in a row, in the hands of one thread."""

    @property
    def is_new(self) -> bool:
        """Whether the server has let us in for this session."""

    def extend(self, deadline: float) -> None:
        """Give the mail in hand more time; for `before_data`."""

    def submit(
        self,
        mail: Mail,
        *,
        deadline: float,
        before_data: Callable[[], bool] | None = None,
        following: Mail | None = None,
    ) -> Outcome:
        """Send one mail, until `deadline` (seconds of time.monotonic()) at the latest.

        `before_data` is asked once, before the server gets the last byte of the content; what it
        raises comes through, and nothing was sent. `following`: the mail that will be submitted
        next, for whoever can prepare for it.

        Raises Withdrawn when `before_data` says no, NoConnection when no mail was begun, Permanent
        or Transient when nothing was sent, UnknownOutcome when the server had the whole mail and
        did not say what it did with it.
        """


class Transport(Protocol):
    """One way for mails to go out, for all threads of a process."""

    @property
    def server(self) -> object:
        """Whom it talks to; its text names it in errors."""

    def session(self, deadline: float, *, anew: bool = False) -> AbstractContextManager[Session]:
        """Begin a session, until `deadline`; `anew`: on a connection of its own.

        Raises NoConnection.
        """

    def close(self) -> None:
        """Close what is not in use."""

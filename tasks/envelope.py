"""A mail as it travels to the transport: the envelope of RFC 5321 and the bytes of RFC 5322."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tasks.letter import Letter


@dataclass(frozen=True, slots=True)
class Rejection:
    """A recipient that got nothing: the SMTP reply code, or None when we refused it ourselves.

    `hard_bounce`: the server says that there is no such address.
    """

    recipient: str
    code: int | None
    response: str
    hard_bounce: bool = False


@dataclass(frozen=True, slots=True)
class Dsn:
    """The delivery status notifications wanted (RFC 3461), where the server offers DSN."""

    #: When: "SUCCESS", "FAILURE", "DELAY", or "NEVER" alone; empty: the server's habit.
    notify: tuple[str, ...] = ()
    #: How much of the mail comes back: "FULL" or "HDRS".
    ret: str | None = None
    #: Stands again in the notification; printable ASCII.
    envid: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, ready to send.

    Addresses are ready for the wire: domains in IDNA (ASCII); local parts may hold non-ASCII
    characters, then `smtputf8` is True. `content` has CRLF line ends, is not dot-stuffed and ends
    with CRLF. It may hold 8-bit bytes when `has_8bit`; `seven_bit()` then composes the same mail
    for a server without 8BITMIME (RFC 6152). For a transport whose service writes the mail itself
    there is a `letter`, and no content.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    message_id: str
    rejected: tuple[Rejection, ...] = ()
    #: Users who have no address.
    missing_uids: tuple[Any, ...] = ()
    dsn: Dsn | None = None
    #: The name of the transport it was composed for.
    transport: str = "default"
    letter: Letter | None = field(default=None, repr=False)
    smtputf8: bool = False
    has_8bit: bool = False
    seven_bit: Callable[[], bytes] | None = field(default=None, repr=False, compare=False)

    @property
    def size(self) -> int:
        """About how many bytes it is."""
        return len(self.content) if self.letter is None else self.letter.size

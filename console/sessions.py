"""Who is logged in: random keys in a cookie, kept in memory, so that a restart ends all."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


#: Seconds without a request after which a session ends, and after which it ends in any case.
IDLE = 12 * 3600.0
LONGEST = 7 * 24 * 3600.0
#: Then the one that was unused for longest ends.
MOST = 1000


@dataclass(slots=True)
class Session:
    """`token` goes with every change (X-CSRF-Token): another site cannot read it."""

    key: str
    token: str
    begun: float
    used: float


class Sessions:
    """All sessions of this process."""

    def __init__(self, password: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._password = None if password is None else _digest(password)
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    @property
    def ask_for_password(self) -> bool:
        """False: whoever reaches the page may use it."""
        return self._password is not None

    def knows(self, password: str) -> bool:
        """Compare, in a time that tells nothing about the password or its length."""
        return self._password is not None and hmac.compare_digest(self._password, _digest(password))

    def begin(self) -> Session:
        """Make a new session."""
        now = self._clock()
        session = Session(secrets.token_urlsafe(32), secrets.token_urlsafe(32), now, now)
        self._sessions[session.key] = session
        while len(self._sessions) > MOST:
            self._sessions.popitem(last=False)
        return session

    def find(self, key: str | None) -> Session | None:
        """Find a session that holds, and note that it is used."""
        session = self._sessions.get(key or "")
        if session is None:
            return None
        now = self._clock()
        if now - session.used > IDLE or now - session.begun > LONGEST:
            self.end(session.key)
            return None
        session.used = now
        self._sessions.move_to_end(session.key)
        return session

    def holds(self, session: Session) -> bool:
        """Tell whether it has not ended, without using it."""
        return (
            session.key in self._sessions
            and self._clock() - session.used <= IDLE
            and self._clock() - session.begun <= LONGEST
        )

    def end(self, key: str) -> None:
        """Log out."""
        self._sessions.pop(key, None)


def is_token(session: Session, token: str | None) -> bool:
    """Tell whether a request that changes something comes from our page."""
    return token is not None and hmac.compare_digest(session.token.encode(), token.encode())


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()

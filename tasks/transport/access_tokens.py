"""The access token of OAuth2, shared by the threads of a process and renewed in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from config import access_token
from config.access_token import NoAccessToken
from config.oauth2 import OAuth2Client
from tasks.errors import NoConnection


#: Seconds before its end at which a token is renewed; half its time when it lasts less than twice
#: as long.
_AHEAD = 300.0
#: The endpoint is asked at most once in so many seconds: neither each mail after a failure, nor
#: each mail after a refused token asks anew.
_PAUSE = 10.0
#: The longest wait for the endpoint.
_PATIENCE = 20.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """A token; the times are those of the clock."""

    value: str = field(repr=False)
    since: float
    renew_at: float
    end: float


class AccessTokens:
    """Gives the token that is good now."""

    def __init__(
        self, client: OAuth2Client, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held | None = None
        #: The newest one: RFC 6749 section 6 has us forget the one before.
        self._refresh_token = client.refresh_token
        #: Until when a failure is everybody's, and its text.
        self._failed: tuple[float, str] | None = None

    def get(self, deadline: float) -> str:
        """Give a token, until `deadline` (time.monotonic()) at the latest; raises NoConnection."""
        held, now = self._held, self._clock()
        if held is not None and now < held.renew_at:
            return held.value
        good = held is not None and now < held.end
        # One renews; the others go on with the token there is, or wait for the new one.
        wait = 0.0 if good else max(0.0, deadline - time.monotonic())
        if not self._lock.acquire(timeout=wait):
            if held is not None and good:
                return held.value
            raise NoConnection(
                f"the token endpoint {self._client.endpoint} gave no access token in the time"
                " there was for this mail; nothing was sent"
            )
        try:
            return self._renewed(deadline).value
        finally:
            self._lock.release()

    def refused(self, token: str) -> bool:
        """Note that the server refused a token; True: there may be a better one.

        A token that was made just now is good: what the server refuses is something else.
        """
        with self._lock:
            held = self._held
            if held is None or held.value != token:
                return True
            if self._clock() - held.since < _PAUSE:
                return False
            self._held = None
            return True

    def _renewed(self, deadline: float) -> _Held:
        held, now = self._held, self._clock()
        if held is not None and now < held.renew_at:
            return held  # somebody else has renewed it meanwhile
        try:
            return self._renew(now, deadline)
        except NoAccessToken as error:
            if held is not None and now < held.end:
                return held
            raise NoConnection(f"{error}; nothing was sent") from error

    def _renew(self, now: float, deadline: float) -> _Held:
        if self._failed is not None and now < self._failed[0]:
            raise NoAccessToken(self._failed[1])
        timeout = max(0.001, min(_PATIENCE, deadline - time.monotonic()))
        try:
            new = access_token.fetch(self._client, self._refresh_token, timeout=timeout)
        except NoAccessToken as error:
            self._failed = self._clock() + _PAUSE, str(error)
            _log.warning("oauth2.not_renewed", error=str(error))
            raise
        self._failed = None
        self._refresh_token = new.refresh_token or self._refresh_token
        ahead = min(_AHEAD, new.seconds / 2)
        held = _Held(new.value, now, now + new.seconds - ahead, now + new.seconds)
        self._held = held
        _log.info("oauth2.renewed", endpoint=self._client.endpoint, seconds=new.seconds)
        return held

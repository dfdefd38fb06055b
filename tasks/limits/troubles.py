"""What the workers tell each other of troubles: domains that pause, a server that is away.

It helps, and is no promise: when Redis is away, nothing pauses and every mail tries for itself.
"""

from __future__ import annotations

import dataclasses
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import redis
import structlog

from config.named_transports import DEFAULT
from config.settings import Settings
from tasks.limits import keys, scripts


#: Seconds a picture of what the others know is good for.
FRESH = 1.0
#: Seconds between two tries while Redis is away: each may take a while to fail.
_AGAIN = 5.0
#: Milliseconds a domain pauses, from the first time to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 30_000, 900_000
#: Milliseconds the circuit stays open the first time; most servers that restart are back soon.
_FIRST_OPEN = 1_000
#: Milliseconds after which failures to connect are forgotten, unless the circuit stays open longer.
_REMEMBERED = 600_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pause:
    """A domain gets no mail until then."""

    #: In seconds of time.monotonic().
    until: float
    #: In seconds.
    length: float

    def wait(self, jitter: Callable[[], float] = random.random) -> float:
        """Tell how long one mail waits; they spread over one more pause, not to come at once."""
        return max(self.until - time.monotonic(), 0.0) + self.length * jitter()


@dataclass(frozen=True, slots=True)
class Picture:
    """What this process knows."""

    pauses: Mapping[str, Pause] = field(default_factory=dict)
    #: Connections in a row that could not be had.
    failures: int = 0
    #: time.monotonic() until which no connection is tried.
    open_until: float = 0.0


class Gate(IntEnum):
    """Whether a connection may be tried."""

    CLOSED = 0  #: yes: all is well
    OPEN = 1  #: no
    PROBE = 2  #: yes, by this caller alone


@dataclass(frozen=True, slots=True)
class Failed:
    """A failure to connect was counted. `known`: the circuit was open before."""

    known: bool
    open: bool


class Troubles:
    """Of one transport: a domain that asks for fewer mails means those of one server.

    Shared by the threads of a process. No method raises when Redis is away.
    """

    def __init__(self, client: redis.Redis, settings: Settings, transport: str = DEFAULT) -> None:
        self.transport = transport
        self._client = client
        self._pauses = keys.pauses(settings.broker_prefix, transport)
        self._circuit = keys.circuit(settings.broker_prefix, transport)
        #: Failures to connect that open the circuit; 0: nothing does.
        self._threshold = settings.circuit_failures
        #: In milliseconds.
        self._longest_open = round(settings.circuit_seconds * 1000)
        self._longest_probe = round(settings.lease_seconds * 1000)
        self._pause = client.register_script(scripts.read("pause"))
        self._failed = client.register_script(scripts.read("failed"))
        self._probe = client.register_script(scripts.read("probe"))
        self._picture = Picture()
        self._next_look = float("-inf")
        self._looking = threading.Lock()
        self._redis_is_away = False

    def picture(self) -> Picture:
        """Tell what is known; asks Redis once in FRESH seconds.

        While one thread asks, the others go on with what was known a moment ago.
        """
        overdue = time.monotonic() - self._next_look
        if overdue >= 0 and self._looking.acquire(blocking=overdue > FRESH):
            try:
                if time.monotonic() >= self._next_look:
                    self._look()
            finally:
                self._looking.release()
        return self._picture

    @property
    def is_open(self) -> bool:
        """Whether no connection is to be tried, not even a probe."""
        picture = self.picture()
        return self._trips(picture) and time.monotonic() < picture.open_until

    @property
    def seconds_until_probe(self) -> float:
        """How long until a connection may be tried again, as far as is known."""
        return max(self._picture.open_until - time.monotonic(), 0.0)

    def gate(self) -> Gate:
        """Ask for leave to connect. Who gets PROBE must say `failed` or `works`."""
        if not self._trips(self.picture()):
            return Gate.CLOSED
        with self._without_redis():
            arguments = [self._threshold, self._longest_probe]
            return Gate(self._probe(keys=self._circuit, args=arguments))
        return Gate.CLOSED

    def failed(self) -> Failed | None:
        """Count a connection that could not be had; None: nobody counts."""
        if not self._threshold:
            return None
        remembered = max(_REMEMBERED, 4 * self._longest_open)
        arguments = [self._threshold, _FIRST_OPEN, self._longest_open, remembered]
        with self._without_redis():
            failures, open_for = self._failed(keys=self._circuit, args=arguments)
            until = time.monotonic() + open_for / 1000
            self._picture = dataclasses.replace(self._picture, failures=failures, open_until=until)
            if failures == self._threshold:
                _log.warning("circuit.opened", transport=self.transport, failures=failures)
            return Failed(known=failures > self._threshold, open=failures >= self._threshold)
        return None

    def works(self) -> None:
        """Note that the server answers; costs nothing while it always has."""
        if not self._picture.failures:
            return
        if self._trips(self._picture):
            _log.info("circuit.closed", transport=self.transport)
        self._picture = dataclasses.replace(self._picture, failures=0, open_until=0.0)
        with self._without_redis():
            self._client.delete(*self._circuit)

    def slow_down(self, domains: Sequence[str]) -> Mapping[str, Pause]:
        """Pause domains that asked for fewer mails; empty: nobody pauses."""
        arguments: list[str | int] = [_FIRST_PAUSE, _LONGEST_PAUSE, *domains]
        with self._without_redis():
            answers = self._pause(keys=[self._pauses], args=arguments)
            now = time.monotonic()
            pauses = {
                domain: Pause(now + answers[2 * n] / 1000, answers[2 * n + 1] / 1000)
                for n, domain in enumerate(domains)
            }
            merged = {**self._picture.pauses, **pauses}
            self._picture = dataclasses.replace(self._picture, pauses=merged)
            return pauses
        return {}

    def _trips(self, picture: Picture) -> bool:
        return 0 < self._threshold <= picture.failures

    def _look(self) -> None:
        before = self._picture
        with self._without_redis():
            with self._client.pipeline(transaction=False) as pipeline:
                pipeline.time()
                pipeline.hgetall(self._pauses)
                pipeline.hmget(self._circuit[0], ["failures", "until"])
                (seconds, microseconds), pauses, (failures, until) = pipeline.execute()
            if self._picture is not before:
                return  # another thread has learnt something meanwhile: look again
            offset = time.monotonic() - (seconds + microseconds / 1e6)
            self._picture = Picture(
                _pauses(pauses, offset), int(failures or 0), int(until or 0) / 1000 + offset
            )
            self._next_look = time.monotonic() + FRESH

    @contextmanager
    def _without_redis(self) -> Iterator[None]:
        """Go on when Redis is away, with nothing known; say so once."""
        try:
            yield
        except (redis.RedisError, OSError) as error:
            if not self._redis_is_away:
                _log.warning("troubles.unknown", error=str(error))
            self._redis_is_away = True
            self._picture = Picture()
            self._next_look = time.monotonic() + _AGAIN
        else:
            self._redis_is_away = False


def _pauses(found: Mapping[bytes, Any], offset: float) -> dict[str, Pause]:
    pauses = {}
    for domain, text in found.items():
        ends, length = (int(each) / 1000 for each in text.split())
        until = ends + offset
        if until > time.monotonic():
            pauses[domain.decode()] = Pause(until, length)
    return pauses

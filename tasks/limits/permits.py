"""Slots and turns from Redis, for many mails in one call."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import redis

from tasks.limits import scripts
from tasks.limits.limits import Limit


#: Seconds a worker waits for a slot with the mail in hand. A mail that goes first may look farther:
#: the nearer slots may all have been given. Not much farther: until a slot is given, the mail
#: before it in the chain can still be reported late.
HORIZON, FIRST_HORIZON = 0.4, 0.6
#: The part of a window by which a mail may begin late: it has to be through when the next slot of
#: its chain is given.
_LATEST = 0.25
#: A mail that is to come again comes so many seconds before its turn: it has to be enqueued,
#: claimed and composed first.
LEAD = 0.2
#: Turns farther ahead are not given: nobody knows what the limit will be then.
FARTHEST = 3600.0

_MICROSECONDS = 1_000_000


class Standing(IntEnum):
    """Who may take a slot before whom."""

    NEWCOMER = 0  #: behind everybody who has a turn
    APPOINTED = 1  #: its turn has come
    FIRST = 2  #: high priority


class _Kind(IntEnum):
    SLOT = 0
    TURN = 1
    LONG_QUEUE = 2


@dataclass(frozen=True, slots=True)
class Ask:
    """A mail that wants to go out: the limits that hold for it, one at least."""

    standing: Standing
    limits: Sequence[Limit]


@dataclass(slots=True)
class Slot:
    """A mail may begin now, or in a moment."""

    #: time.monotonic() from which on it may be begun.
    not_before: float
    #: time.monotonic() at which it is expected to be begun; not later than Redis means it.
    expected: float
    #: The same, as it stands in Redis.
    microseconds: int
    limits: Sequence[Limit]
    #: time.monotonic() when it was begun, and when it was through.
    begun: float = 0.0
    ended: float = 0.0

    @property
    def is_lost(self) -> bool:
        """Whether it is so late that the next in its chain may be given before it is through."""
        shortest = min(limit.rate.seconds for limit in self.limits)
        return time.monotonic() - self.expected > shortest * _LATEST


@dataclass(frozen=True, slots=True)
class Turn:
    """A mail has to come again in some seconds; `limit` holds it up."""

    seconds: float
    limit: Limit


@dataclass(frozen=True, slots=True)
class LongQueue:
    """So many wait before it that it gets no turn yet."""

    limit: Limit


class Permits:
    """Asks Redis. Methods raise redis.RedisError."""

    def __init__(self, client: redis.Redis) -> None:
        self._grant = client.register_script(scripts.read("grant"))
        self._late = client.register_script(scripts.read("late"))
        self._unused = client.register_script(scripts.read("unused"))

    def ask(self, asks: Sequence[Ask], *, each: float) -> list[Slot | Turn | LongQueue]:
        """Ask for mails that one thread sends in this order; it needs `each` seconds for one."""
        limits = _distinct(limit for ask in asks for limit in ask.limits)
        numbers = {limit.log: number for number, limit in enumerate(limits, 1)}
        horizons = [_us(HORIZON), _us(FIRST_HORIZON)]
        arguments: list[Any] = [*horizons, _us(each), _us(FARTHEST), len(limits)]
        for limit in limits:
            arguments += [limit.rate.count, limit.reserve]
            arguments += [_us(limit.window), _us(limit.interval)]
        for ask in asks:
            arguments += [int(ask.standing), len(ask.limits)]
            arguments += [numbers[limit.log] for limit in ask.limits]
        keys = [key for limit in limits for key in (limit.log, limit.line)]
        before = time.monotonic()
        now, *answers = self._grant(keys=keys, args=arguments)
        after = time.monotonic()

        def answer(ask: Ask, kind: int, wait: int, by: int, begin: int) -> Slot | Turn | LongQueue:
            if kind == _Kind.SLOT:
                return Slot(after + _s(begin), before + _s(wait), now + wait, ask.limits)
            limit = limits[by - 1]
            if kind == _Kind.TURN:
                return Turn(max(_s(wait) - LEAD, 0.0), limit)
            return LongQueue(limit)

        return [answer(ask, *answers[4 * n : 4 * n + 4]) for n, ask in enumerate(asks)]

    def unused(self, slots: Iterable[Slot]) -> None:
        """Give slots back whose mails were not sent: the next in the chain may come at once."""
        for slot in slots:
            ends = [slot.microseconds - _us(limit.window) for limit in slot.limits]
            logs = [limit.log for limit in slot.limits]
            self._unused(keys=logs, args=[slot.microseconds, *ends])

    def sent(self, slots: Iterable[Slot], *, usual: float) -> None:
        """Report the mails that went out late; `usual`: seconds the fastest of them takes."""
        late = [
            (limit.log, slot.microseconds, slot.microseconds + _us(behind))
            for slot in slots
            for limit in slot.limits
            if (behind := slot.ended - slot.expected - usual - limit.tolerance / 2) > 0
        ]
        if late:
            times = [time_ for _, *both in late for time_ in both]
            self._late(keys=[log for log, *_ in late], args=times)


def _distinct(limits: Iterable[Limit]) -> list[Limit]:
    return list({limit.log: limit for limit in limits}.values())


def _us(seconds: float) -> int:
    return round(seconds * _MICROSECONDS)


def _s(microseconds: int) -> float:
    return microseconds / _MICROSECONDS

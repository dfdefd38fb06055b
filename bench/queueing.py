"""How many mails a second a deployment sends, on paper: a closed queueing network.

Mean value analysis after Schweitzer (1979), stations of several servers after Seidmann (1987).
"""

from __future__ import annotations

from dataclasses import dataclass


_ROUNDS = 500
_CLOSE_ENOUGH = 1e-9


@dataclass(frozen=True)
class Station:
    """Where mails queue: `seconds` of service a mail by one of `servers`."""

    name: str
    seconds: float
    servers: int = 1
    #: So many such stations share the mails: a worker process has an interpreter lock of its own.
    copies: int = 1


@dataclass(frozen=True)
class Answer:
    """Mails a second, and the part of its time that each station works."""

    rate: float
    busy: dict[str, float]

    @property
    def narrowest(self) -> str:
        """The station that is nearest to its limit."""
        return max(self.busy, key=lambda name: self.busy[name])


def solve(stations: list[Station], *, threads: int, waiting: float) -> Answer:
    """Let so many threads send mails, each waiting for the net `waiting` seconds a mail."""
    queues = {each.name: 0.0 for each in stations}
    rate = 0.0
    for _ in range(_ROUNDS):
        stays = {each.name: _stay(each, queues[each.name], threads) for each in stations}
        before, rate = rate, threads / (waiting + sum(stays.values()))
        for each in stations:
            at_one_of_several = rate / each.copies * _queueing(each, queues[each.name], threads)
            queues[each.name] = at_one_of_several
        if abs(rate - before) < _CLOSE_ENOUGH * rate:
            break
    busy = {each.name: rate * each.seconds / each.servers / each.copies for each in stations}
    return Answer(rate, busy)


def _stay(station: Station, queue: float, threads: int) -> float:
    """Seconds a mail spends there, served by one server or another."""
    beside = station.seconds * (station.servers - 1) / station.servers
    return beside + _queueing(station, queue, threads)


def _queueing(station: Station, queue: float, threads: int) -> float:
    own = max(threads / station.copies, 1)
    return station.seconds / station.servers * (1 + queue * (own - 1) / own)

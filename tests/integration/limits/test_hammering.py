"""Many workers at once: no window ever holds more than the limit, and little of it is lost."""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Sequence

import pytest
import redis

from config.settings import Settings
from tasks.limits.connect import connect
from tasks.limits.limits import Limit
from tasks.limits.permits import Ask, Permits, Slot, Standing, Turn
from tests.integration.limits.conftest import limits_of


class Hands:
    """A worker's thread: newcomers as long as nobody waits long, and whoever's turn has come."""

    def __init__(self, settings: Settings, limits: Sequence[Sequence[Limit]], end: float) -> None:
        self._settings = settings
        self._limits = limits
        self._end = end
        self._waiting: list[tuple[float, int]] = []
        #: When each mail was begun and was through, and what held for it.
        self.sent: list[tuple[float, float, Sequence[Limit]]] = []

    def run(self) -> None:
        """Send until the end."""
        with connect(self._settings) as client:
            permits = Permits(client)
            while time.monotonic() < self._end:
                asks = self._asks()
                self._take(asks, permits.ask(asks, each=0.002))
                for slot in self._slots:
                    self._send(slot, permits)

    def _asks(self) -> list[Ask]:
        due = []
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, which = heapq.heappop(self._waiting)
            due.append(Ask(Standing.APPOINTED, self._limits[which]))
        if len(self._waiting) < 30:
            which = random.randrange(len(self._limits))
            due.append(Ask(Standing.NEWCOMER, self._limits[which]))
        # Never nothing: somebody of high priority comes now and then.
        return due or [Ask(Standing.FIRST, self._limits[0])]

    def _take(self, asks: list[Ask], answers: Sequence[object]) -> None:
        self._slots = [answer for answer in answers if isinstance(answer, Slot)]
        self._slots.sort(key=lambda slot: slot.not_before)
        for ask, answer in zip(asks, answers, strict=True):
            if isinstance(answer, Turn):
                which = self._limits.index(ask.limits)
                heapq.heappush(self._waiting, (time.monotonic() + answer.seconds, which))

    def _send(self, slot: Slot, permits: Permits) -> None:
        time.sleep(max(0.0, slot.not_before - time.monotonic()))
        if slot.is_lost:
            permits.unused([slot])
            return
        begun = time.monotonic()
        time.sleep(random.uniform(0.001, 0.004))  # what a server takes
        slot.ended = time.monotonic()
        self.sent.append((begun, slot.ended, slot.limits))
        permits.sent([slot], usual=0.001)


@pytest.mark.parametrize("domains", [None, "gmail.com=10/second"])
def test_no_window_ever_holds_more(
    settings: Settings, client: redis.Redis, domains: str | None
) -> None:
    """Neither by the time the mails were begun nor by the time they were through."""
    limits = limits_of(settings, "40/second", domains)
    kinds = [limits.of(["a@example.com"]), limits.of(["a@gmail.com"])]
    hands = [Hands(settings, kinds, time.monotonic() + 5) for _ in range(8)]
    threads = [threading.Thread(target=each.run) for each in hands]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sent = [each for one in hands for each in one.sent]
    for limit in {limit.log: limit for kind in kinds for limit in kind}.values():
        ours = [(begun, ended) for begun, ended, held in sent if limit in held]
        for moments in zip(*ours, strict=True):
            assert _shortest(sorted(moments), limit) >= limit.rate.seconds
        # A busy machine loses much; the command bench.limits measures how little a calm one does.
        assert len(ours) > 2 * limit.rate.count
    assert client.exists(*(limit.log for kind in kinds for limit in kind)) > 0


def _shortest(times: list[float], limit: Limit) -> float:
    """Tell the shortest time in which one mail more than the limit went out."""
    count = limit.rate.count
    return min(times[n + count] - times[n] for n in range(len(times) - count))

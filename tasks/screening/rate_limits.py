"""A screen: by RATE_LIMIT and RATE_LIMIT_DOMAINS, a mail has a slot now, or waits for its turn."""

from __future__ import annotations

import dataclasses
import random
from collections import deque
from collections.abc import Sequence
from typing import Any

import redis
import structlog

from config.mongo import Document
from tasks import lanes
from tasks.delivery import states
from tasks.delivery.returns import Waiting
from tasks.lanes import Lane
from tasks.limits import reasons
from tasks.limits.limits import Limits
from tasks.limits.permits import FARTHEST, Ask, LongQueue, Permits, Slot, Standing, Turn
from tasks.pace import Pace
from tasks.screening.screen import Prepared, Screened


#: Seconds a mail waits when Redis cannot be asked: nobody knows what the others have sent.
_BLIND = (2.0, 5.0)
#: Mails by which the shortest time from begin to answer is known.
_SAMPLE = 64

_log = structlog.get_logger(__name__)


class RateLimits:
    """One for all threads of a process."""

    def __init__(self, limits: Limits, permits: Permits, pace: Pace) -> None:
        self._limits = limits
        self._permits = permits
        self._pace = pace
        self._durations: deque[float] = deque(maxlen=_SAMPLE)

    def screen(self, group: Sequence[Prepared]) -> Screened:
        """Ask for the whole group at once."""
        screened = Screened()
        asking: list[tuple[Prepared, Ask]] = []
        for prepared in group:
            mail = prepared.mail
            limits = self._limits.of(mail.recipients, mail.transport)
            if limits and mail.recipients:
                asking.append((prepared, Ask(_standing(prepared.claim.document), limits)))
            else:
                screened.send.append(prepared)
        if asking:
            self._ask(asking, screened)
        return screened

    def sent(self, slots: Sequence[Slot]) -> None:
        """Report when mails went out."""
        self._durations += (slot.ended - slot.begun for slot in slots)
        try:
            self._permits.sent(slots, usual=min(self._durations))
        except (redis.RedisError, OSError) as error:
            _log.warning("limits.lateness_not_reported", error=str(error), mails=len(slots))

    def unused(self, slots: Sequence[Slot]) -> None:
        """Give slots back whose mails were not sent."""
        try:
            self._permits.unused(slots)
        except (redis.RedisError, OSError) as error:
            _log.warning("limits.slots_lost", error=str(error), slots=len(slots))

    def _ask(self, asking: Sequence[tuple[Prepared, Ask]], screened: Screened) -> None:
        try:
            answers = self._permits.ask([ask for _, ask in asking], each=self._pace.seconds(1))
        except (redis.RedisError, OSError) as error:
            _log.warning("limits.unknown", error=str(error), mails=len(asking))
            screened.waiting += [
                Waiting(prepared.claim, random.uniform(*_BLIND), reasons.redis())  # noqa: S311
                for prepared, _ in asking
            ]
            return
        for (prepared, _), answer in zip(asking, answers, strict=True):
            if isinstance(answer, Slot):
                screened.send.append(dataclasses.replace(prepared, slot=answer))
            else:
                screened.waiting.append(_waiting(prepared, answer))


def _waiting(prepared: Prepared, answer: Turn | LongQueue) -> Waiting:
    if isinstance(answer, Turn):
        return Waiting(prepared.claim, answer.seconds, reasons.turn(answer.limit))
    seconds = FARTHEST * random.random()  # noqa: S311
    return Waiting(prepared.claim, seconds, reasons.long_queue(answer.limit))


def _standing(document: Document) -> Standing:
    waits_for: Any = states.subdocument(document).get("waitsFor")
    if reasons.had_turn(waits_for):
        return Standing.APPOINTED
    if lanes.of(document.get("priority")) is Lane.HIGH:
        return Standing.FIRST
    return Standing.NEWCOMER

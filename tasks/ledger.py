"""What became of the mails of one batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tasks.delivery.claim import Claim
from tasks.delivery.results import Result
from tasks.delivery.states import State
from tasks.observing import pulses, recorder


#: As the metrics have them.
_OUTCOMES = {State.SUCCESS: "success", State.PENDING: "retry", State.ERROR: "error"}


@dataclass(slots=True)
class Tally:
    """The numbers; Flower shows them as the task's result."""

    sent: int = 0
    failed: int = 0
    postponed: int = 0
    waiting: int = 0
    not_claimed: int = 0
    put_back: int = 0


class Ledger:
    """Keeps the numbers, hands results on to be written, and keeps what is to be given back."""

    def __init__(self, record: Callable[[Result], threading.Event]) -> None:
        self.tally = Tally()
        #: Claims of which nothing was sent.
        self.not_begun: list[Claim] = []
        self._record = record
        self._recorder = recorder()
        self._recorded: list[threading.Event] = []

    def record(self, result: Result) -> None:
        """Hand an outcome over to be written."""
        if result.state is State.SUCCESS:
            self.tally.sent += 1
        elif result.state is State.PENDING:
            self.tally.postponed += 1
        else:
            self.tally.failed += 1
        self._recorder.ended("in_doubt" if result.in_doubt else _OUTCOMES[result.state])
        self._recorded.append(self._record(result))

    def give_back(self, claims: Iterable[Claim]) -> None:
        """Note claims that this batch does not attempt."""
        self.not_begun += claims

    def wait(self) -> None:
        """Return when every outcome stands in its document."""
        with pulses.resting():
            for written in self._recorded:
                written.wait()

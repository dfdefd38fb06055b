"""What is recorded. A Recorder records nothing; that is what a process has until it wants more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any


class Recorder:
    """One for all threads of a process. Labels are few words of ours: no address, no id."""

    # What a worker tells.

    def batch(self, lane: str, mails: int) -> None:
        """A task came with so many mails."""

    def claimed(self, document: Mapping[str, Any], now: Callable[[], datetime]) -> None:
        """A document is ours; it has waited since its `delivery.startTime`."""

    def ended(self, outcome: str) -> None:
        """An attempt ended; `outcome`: the state it leads to, or in_doubt."""

    def attempted(self, transport: str, answer: str) -> None:
        """A mail met a server; `answer`: what that made of it."""

    def waits(self, why: Sequence[str]) -> None:
        """Mails went back for a while, each for its reason."""

    # What a watcher tells.

    def leads(self, *, leading: bool) -> None:
        """This watcher leads, or does not."""

    def stream(self, events: Sequence[Mapping[str, Any]], now: Callable[[], datetime]) -> None:
        """These events were handled; none: the stream had nothing."""

    def swept(self, why: str, mails: int) -> None:
        """A round brought in mails that the stream had not."""

    def queue(
        self, lane: str, messages: int, oldest: datetime | None, now: Callable[[], datetime]
    ) -> None:
        """A lane's queue was read: its messages, and when the next of them was enqueued."""

    def circuit(self, state: int) -> None:
        """Tell whether the SMTP server can be reached, as `tasks.limits.outlook` has it."""

    def counted(
        self,
        backlog: Mapping[tuple[str, str], int],
        paused_domains: int,
        transports_away: Mapping[str, bool],
    ) -> None:
        """Documents that are not done were counted, by state and priority; and what holds them."""

    def events_behind(self, seconds: float) -> None:
        """The receiver of events has been told of everything up to so many seconds ago."""


_recorder = Recorder()


def recorder() -> Recorder:
    """Give this process's recorder."""
    return _recorder


def record_with(chosen: Recorder) -> None:
    """Choose this process's recorder, before anything asks for it."""
    global _recorder  # noqa: PLW0603 - one in a process, as its logger is
    _recorder = chosen

"""Signs of life: a loop that comes by no more is wedged."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Pulse:
    """One loop or one batch. It is late when it neither beats nor rests for `limit` seconds."""

    def __init__(self, name: str, limit: float) -> None:
        self.name = name
        self.limit = limit
        #: Grows with every beat; who looks compares it with what it was.
        self.beats = 0
        #: It waits for something that may take as long as it likes.
        self.rests = False

    def beat(self) -> None:
        """Come by."""
        self.beats += 1
        self.rests = False

    def rest(self) -> None:
        """Begin a wait that has no limit; the next beat ends it."""
        self.rests = True

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Wait without a limit."""
        self.rest()
        try:
            yield
        finally:
            self.beat()


class _Hands(threading.local):
    pulse: Pulse | None = None


_hands = _Hands()


@contextlib.contextmanager
def in_hand(pulse: Pulse) -> Iterator[None]:
    """Make it the pulse of what this thread does."""
    _hands.pulse = pulse
    try:
        yield
    finally:
        _hands.pulse = None


def beat() -> None:
    """Come by, with what this thread has in hand."""
    if _hands.pulse is not None:
        _hands.pulse.beat()


@contextlib.contextmanager
def resting() -> Iterator[None]:
    """Wait without a limit, with what this thread has in hand."""
    if _hands.pulse is None:
        yield
        return
    with _hands.pulse.resting():
        yield

"""Ctrl-C and SIGTERM: the first asks for the end, the second forces it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Notes the first signal; calls `force` at each further one."""

    def __init__(self, force: Callable[[], None]) -> None:
        self.requested = False
        self._force = force
        for number in _SIGNALS:
            signal.signal(number, self._handle)

    def asked(self) -> bool:
        """Tell whether somebody wants us to end."""
        return self.requested

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        if self.requested:
            self._force()
        self.requested = True

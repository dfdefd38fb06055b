"""A clock that a test sets forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SetClock:
    """Stands still until `advance`; callable like tasks.clock.ServerClock."""

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self.time = now.replace(microsecond=now.microsecond // 1000 * 1000)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> datetime:
        """Set it forward and tell the time."""
        self.time += timedelta(seconds=seconds)
        return self.time

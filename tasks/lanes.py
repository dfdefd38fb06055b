"""Three queues, so that a million newsletters never delay a password reset."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Lane(StrEnum):
    """A document's `priority`; workers empty the lanes in this order."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def queue(self) -> str:
        """The Celery queue's name."""
        return f"mail.{self.value}"

    @property
    def higher(self) -> list[Lane]:
        """The lanes that are emptied before this one."""
        lanes = list(Lane)
        return lanes[: lanes.index(self)]


def of(priority: Any) -> Lane:
    """Choose the lane; anything but "high" and "low" is normal (a worker reports a wrong value)."""
    if priority == Lane.HIGH:
        return Lane.HIGH
    return Lane.LOW if priority == Lane.LOW else Lane.NORMAL

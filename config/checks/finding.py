"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


#: The longest wait for a connection or for one answer, in seconds.
TIMEOUT_SECONDS = 5.0


class Level(Enum):
    """How bad it is; the value is the mark shown."""

    OK = "✓"  #: as it should be
    UNKNOWN = "?"  #: nobody can say from here
    WARNING = "!"  #: mails go out, but something may be lost or slow
    FAILED = "✗"  #: mails do not go out


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `advice`: what to do about it."""

    subject: str
    level: Level
    text: str
    advice: str | None = None

    def __str__(self) -> str:
        advice = f" — {self.advice}" if self.advice else ""
        return f"{self.level.value} {self.subject}: {self.text}{advice}"

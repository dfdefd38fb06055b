"""A port, or a range of ports of which each process takes the first that is free."""

from __future__ import annotations

import re
from dataclasses import dataclass


_TEXT = re.compile(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?")
_LAST = 65_535


@dataclass(frozen=True, slots=True)
class Ports:
    """From the first to the last; 0: any that is free."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"


def parse(text: str) -> Ports:
    """Read `9400`, `9400-9409` or `0`; raises ValueError."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a port, or a range of them: 9400 or 9400-9409")
    first = int(match[1])
    last = int(match[2] or first)
    if last > _LAST:
        raise ValueError(f"must not be more than {_LAST}")
    if first > last or (first == 0 and last):
        raise ValueError("must be a range from a lower port to a higher one")
    return Ports(first, last)

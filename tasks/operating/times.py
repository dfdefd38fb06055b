"""Spans and moments as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\d{1,9})([smhdw])")
SPAN_FORM = "a number with s, m, h, d or w, as in 90s, 15m, 1h, 30d, 2w"
MOMENT_FORM = f"{SPAN_FORM}, or a time as in 2026-03-01, 2026-03-01T12:00 or 2026-03-01T12:00+01:00"


def span(text: str) -> timedelta:
    """Read a length of time, "1h" or "1h30m"; raises ValueError that says what is allowed."""
    written = text.strip().lower()
    parts = _SPAN.findall(written)
    if not parts or "".join(number + unit for number, unit in parts) != written:
        raise ValueError(f"{text!r} is no length of time: write {SPAN_FORM}")
    try:
        return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))
    except OverflowError:
        raise ValueError(f"{text!r} is too long a time") from None


def moment(text: str, now: datetime) -> datetime:
    """Read a moment: so long before `now`, or a date (UTC, unless it says otherwise).

    Raises ValueError that says what is allowed.
    """
    try:
        return now - span(text)
    except OverflowError:
        raise ValueError(f"{text!r} is too long ago") from None
    except ValueError:
        pass
    try:
        read = datetime.fromisoformat(text.strip())
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time: write {MOMENT_FORM}") from None

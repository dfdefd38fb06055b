"""Mails that have been there for a while, in whatever state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any


#: When the youngest of them began.
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def past(number: int, state: str = "SUCCESS", **fields: Any) -> dict[str, Any]:
    """Make a mail that began so many seconds before NOON; `fields` are of `delivery`."""
    start = NOON - timedelta(seconds=number)
    ended = state in ("SUCCESS", "ERROR")
    delivery = {
        "state": state,
        "startTime": start,
        "endTime": start + timedelta(seconds=2) if ended else None,
        "error": "refused" if state == "ERROR" else None,
        "attempts": 1,
        **fields,
    }
    return {
        "_id": number,
        "to": f"recipient{number}@example.com",
        "message": {"subject": f"Mail {number}", "text": "Hello"},
        "delivery": delivery,
    }

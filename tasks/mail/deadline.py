"""deliverBefore: after this time the mail is worthless (a one-time password)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bson import DatetimeMS

from tasks.errors import Permanent


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (BSON dates are UTC, with or without saying so)


def check(deliver_before: datetime | DatetimeMS | None, now: datetime) -> None:
    """Raise Permanent when the time has come. `now` is aware."""
    if deliver_before is None:
        return
    if _milliseconds(deliver_before) <= _milliseconds(now):
        raise Permanent(
            f"deliverBefore has passed: it was {_text(deliver_before)}, now it is {_text(now)}."
        )


def _milliseconds(date: datetime | DatetimeMS) -> int:
    if isinstance(date, DatetimeMS):
        return int(date)
    offset = date.utcoffset() or timedelta()
    return (date.replace(tzinfo=None) - _EPOCH - offset) // timedelta(milliseconds=1)


def _text(date: datetime | DatetimeMS) -> str:
    if isinstance(date, DatetimeMS):
        milliseconds = int(date)
        try:
            date = _EPOCH + timedelta(milliseconds=milliseconds)
        except OverflowError:  # outside the years 1 to 9999
            return f"{milliseconds} ms after 1970"
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return date.isoformat(timespec="milliseconds")

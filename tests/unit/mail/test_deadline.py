from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from bson import DatetimeMS

from tasks.errors import InvalidDocument, Permanent
from tests.unit.mail.samples import NOW, composed


NAIVE = NOW.replace(tzinfo=None)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    "date",
    [
        NOW,
        NOW - SECOND,
        NAIVE - SECOND,
        (NOW - SECOND).astimezone(timezone(timedelta(hours=9))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=9))),
        DatetimeMS(NOW - SECOND),
        DatetimeMS(-(2**63)),
    ],
)
def test_too_late(date: datetime | DatetimeMS) -> None:
    """After deliverBefore no mail goes out, and the error names both times."""
    with pytest.raises(Permanent) as caught:
        composed(deliverBefore=date)

    assert not isinstance(caught.value, InvalidDocument)
    assert str(caught.value).startswith("deliverBefore has passed: it was ")
    assert str(caught.value).endswith("now it is 2024-03-05T08:30:00.000+00:00.")


@pytest.mark.parametrize(
    "date",
    [
        NOW + SECOND,
        NAIVE + SECOND,
        datetime.max.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-9))),
        DatetimeMS(NOW + SECOND),
        DatetimeMS(2**63 - 1),
    ],
)
def test_in_time(date: datetime | DatetimeMS) -> None:
    """Before deliverBefore the mail goes out; pymongo's dates are UTC, with or without a zone."""
    assert composed(deliverBefore=date).recipients == ("jo@example.org",)

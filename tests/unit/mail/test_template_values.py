from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from bson import Binary, Code, DatetimeMS, Decimal128, Int64, MaxKey, ObjectId, Regex, Timestamp

from tasks.mail.handlebars import TemplateError
from tasks.mail.template_values import template_data


VALUES: list[tuple[Any, Any]] = [
    (ObjectId("65e6d2f0c0ffee0123456789"), "65e6d2f0c0ffee0123456789"),
    (datetime(2024, 3, 5, 8, 30, tzinfo=UTC), "2024-03-05T08:30:00.000Z"),
    (datetime(2024, 3, 5, 8, 30, 1, 234567, tzinfo=UTC), "2024-03-05T08:30:01.234Z"),
    (datetime(2024, 3, 5, 9, tzinfo=timezone(timedelta(hours=1))), "2024-03-05T08:00:00.000Z"),
    (datetime(2024, 3, 5, 8, 30), "2024-03-05T08:30:00.000Z"),  # noqa: DTZ001 — as BSON has it
    (Decimal128("19.90"), "19.90"),
    (Int64(2**62), 2**62),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (Code("x => 1"), "x => 1"),
    (1.5, 1.5),
    (None, None),
]


@pytest.mark.parametrize(("value", "expected"), VALUES, ids=[str(value) for value, _ in VALUES])
def test_values(value: Any, expected: Any) -> None:
    """Each kind of BSON value has the text that JavaScript's JSON gives it."""
    converted = template_data({"a": [value]})
    assert converted == {"a": [expected]}
    assert type(converted["a"][0]) is type(expected)


REFUSED = [
    (b"x", "binary"),
    (Binary(b"x", 5), "binary"),
    (Regex("x"), "a regular expression"),
    (Timestamp(1, 1), "a timestamp"),
    (MaxKey(), "a MaxKey"),
    (DatetimeMS(10**18), "a date"),
]


@pytest.mark.parametrize(
    ("value", "kind"), REFUSED, ids=[repr(type(value)) for value, _ in REFUSED]
)
def test_values_without_text(value: Any, kind: str) -> None:
    """What has no text is refused, with its path."""
    with pytest.raises(TemplateError, match=rf"^template\.data\.a\.0 is {kind}, which has no text"):
        template_data({"a": [value]})

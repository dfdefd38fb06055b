"""What people write: spans, moments, ids, filters; and what they are told when it is wrong."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import bson
import pytest
from bson import Binary, Decimal128, Int64, ObjectId
from hypothesis import given
from hypothesis import strategies as st

from tasks.delivery.ids import key
from tasks.lanes import Lane
from tasks.operating import ids, times
from tasks.operating.filters import STATES, BadFilter, Filter
from tasks.operating.positions import START, Cursor, Position


NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h30m", 5400), ("30d", 2_592_000), ("2W", 1_209_600), ("0s", 0)],
)
def test_spans(text: str, seconds: int) -> None:
    """A number with its unit, or several."""
    assert times.span(text) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "h", "1 h", "-1h", "1.5h", "1y", "1h!", "999999999w"])
def test_what_is_no_span(text: str) -> None:
    """It says what is allowed, or that it is too long."""
    with pytest.raises(ValueError, match=r"as in 90s|too long"):
        times.span(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1h", NOW - dt.timedelta(hours=1)),
        ("2026-02-01", dt.datetime(2026, 2, 1, tzinfo=dt.UTC)),
        ("2026-02-01T12:00", dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC)),
        ("2026-02-01T12:00+01:00", dt.datetime(2026, 2, 1, 11, tzinfo=dt.UTC)),
    ],
)
def test_moments(text: str, moment: dt.datetime) -> None:
    """So long ago, or a date; UTC unless it says otherwise."""
    assert times.moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "999999w", "0001-01-01T00:00+10:00"])
def test_what_is_no_moment(text: str) -> None:
    """It says what is allowed, or that it is too long ago."""
    with pytest.raises(ValueError, match=r"2026-03-01T12:00|too long"):
        times.moment(text, NOW)


IDS: list[Any] = [
    ObjectId("66f0" * 6), "an id", "7", "true", '"quoted"', "{", "", "a" * 24, "66f1" * 6, 7, 7.5,
    Int64(2**40), True, None, Decimal128("1.10"), bson.MinKey(), bson.MaxKey(), b"\x00\x01",
    Binary.from_uuid(uuid.UUID(int=7)), dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    bson.Timestamp(4, 5),
    {"tenant": 4, "mail": {"number": Int64(3)}}, "null", "[1]", "ü", "a\nb", float("nan"),
]  # fmt: skip


@pytest.mark.parametrize("id", IDS, ids=repr)
def test_an_id_survives_as_text(id: Any) -> None:
    """Of every type, and strings that look like one of them."""
    assert key(ids.read(ids.write(id))) == key(id)


@given(st.text())
def test_every_string_survives(id: str) -> None:
    """Whatever it looks like."""
    assert ids.read(ids.write(id)) == id


def test_simple_ids_are_simple() -> None:
    """An ObjectId is its digits, a word is itself; a person need not quote."""
    digits = "66f000000000000000000001"
    assert ids.write(ObjectId(digits)) == digits
    assert ids.write("invoice-4711") == "invoice-4711"
    assert ids.write(7) == "7"
    assert ids.write("7") == '"7"'
    assert ids.candidates("7") == [7, "7"]
    assert ids.candidates("invoice-4711") == ["invoice-4711"]
    assert ids.candidates(digits) == [ObjectId(digits), digits]


def test_a_filter_from_strings() -> None:
    """Every field; what is empty is not given."""
    read = Filter.parse(
        {
            "state": "error, retry", "recipient": "a@", "template": "t", "since": "1h",
            "until": "2026-03-01", "text": "x", "transport": "bulk", "priority": "HIGH",
            "inDoubt": "no",
        },
        NOW,
    )  # fmt: skip

    assert read == Filter(
        states=("ERROR", "RETRY"), recipient="a@", template="t", since=NOW - dt.timedelta(hours=1),
        until=dt.datetime(2026, 3, 1, tzinfo=dt.UTC), text="x", transport="bulk",
        priority=Lane.HIGH, in_doubt=False,
    )  # fmt: skip
    assert Filter.parse({"state": "", "since": None, "text": "  "}, NOW) == Filter()


def test_everything_that_is_wrong_with_a_filter_is_said_at_once() -> None:
    """By the field's name, with what is allowed."""
    wrong = {
        "state": "WRONG",
        "since": "soon",
        "priority": "urgent",
        "text": "x" * 201,
        "colour": "x",
    }

    with pytest.raises(BadFilter) as error:
        Filter.parse(wrong, NOW)

    problems = error.value.problems
    assert list(problems) == list(wrong)
    assert all(name in problems["state"] for name in STATES)
    assert "high, normal, low" in problems["priority"]
    assert "200" in problems["text"]
    assert "recipient" in problems["colour"]


@pytest.mark.parametrize("id", IDS, ids=repr)
def test_a_place_in_a_list_survives_as_text(id: Any) -> None:
    """It is safe in a URL."""
    cursor = Cursor({"*": Position(NOW, id), "ERROR": START})

    text = str(cursor)

    read = Cursor.parse(text)
    assert read.places["ERROR"] == START
    assert read.places["*"].time == NOW
    assert key(read.places["*"].id) == key(id)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")


@pytest.mark.parametrize("text", ["", "x", "ü", "AAAA", str(Cursor({}))[:-4], "BQAAAAA" * 20_000])
def test_a_forged_place_is_refused(text: str) -> None:
    """With ValueError, not with whatever the decoder stumbles over."""
    with pytest.raises(ValueError, match="first page"):
        Cursor.parse(text)

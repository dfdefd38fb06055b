"""Ids on the wire: JSON that gives back the same id of the same BSON type."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError
from hypothesis import given
from hypothesis import strategies as st

from config.mongo import CODEC
from tasks import wire


_INT32 = st.integers(-(2**31), 2**31 - 1)
_INT64 = st.integers(-(2**63), 2**63 - 1)
_DATES = st.integers(-(2**52), 2**52).map(bson.DatetimeMS)
_NAMES = st.text(max_size=8).filter(lambda name: "\0" not in name and not name.startswith("$"))
_SIMPLE: st.SearchStrategy[Any] = st.one_of(
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.text(max_size=20),
    _INT32,
    _INT64.map(Int64),
    st.floats(),
    st.booleans(),
    st.none(),
    _DATES,
    st.decimals(places=4, min_value=-(10**20), max_value=10**20).map(Decimal128),
    st.binary(max_size=20),
    st.builds(Binary, st.binary(max_size=20), st.sampled_from([0, 3, 4, 5, 128])).filter(
        lambda value: value.subtype not in {3, 4} or len(value) == 16
    ),
    st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    st.sampled_from([MinKey(), MaxKey()]),
)
IDS = st.recursive(
    _SIMPLE,
    lambda inner: st.dictionaries(_NAMES, inner | st.lists(inner, max_size=2), max_size=3),
    max_leaves=5,
)


@given(st.lists(IDS, max_size=4))
def test_ids_of_every_bson_type_survive(ids: list[Any]) -> None:
    """Through real JSON text, to the byte: 1, 1.0, Int64(1) and "1" stay different."""
    as_read = [_as_the_driver_reads(id) for id in ids]

    back = wire.load(json.loads(json.dumps(wire.dump(as_read))))

    assert [_bytes(id) for id in back] == [_bytes(id) for id in ids]


def _as_the_driver_reads(id: Any) -> Any:
    return bson.decode(_bytes(id), codec_options=CODEC)["_id"]


def _bytes(id: Any) -> bytes:
    return bson.encode({"_id": id})


@pytest.mark.parametrize(
    ("id", "shown"),
    [
        ("order-17", "order-17"),
        (ObjectId("66f0c0ffee66f0c0ffee66f0"), {"$oid": "66f0c0ffee66f0c0ffee66f0"}),
        (7, {"$numberInt": "7"}),
        (None, None),
        ({"tenant": "a"}, {"tenant": "a"}),
    ],
)
def test_the_wire_is_readable(id: Any, shown: Any) -> None:
    """What Flower shows of an id."""
    assert wire.dump([id]) == [shown]


def test_dates_are_aware() -> None:
    """An id that is a date comes back in UTC, as the driver would read it."""
    date = datetime(2026, 1, 1, 12, 30, 0, 250_000, tzinfo=UTC)

    assert wire.load(wire.dump([date])) == [date]
    assert CODEC.datetime_conversion is DatetimeConversion.DATETIME_AUTO


BAD = [{"$oid": "short"}, {"$oid": 5}, {"$numberInt": "x"}, {"$date": "never"}, {"$binary": 5}]


@pytest.mark.parametrize("value", BAD, ids=lambda value: re.sub(r"\W", "", str(value)))
def test_what_nobody_dumped_is_an_error(value: Any) -> None:
    """TypeError, ValueError or BSONError: the task can say which message was wrong."""
    with pytest.raises((TypeError, ValueError, BSONError)):
        wire.load([value])

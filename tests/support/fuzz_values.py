"""Values of every BSON type, odd ones too: made once by Hypothesis, then drawn from at random.

Hypothesis alone would need an hour for 20,000 documents; it makes some hundred values of each kind
in a second or two, and a seeded generator puts them where they do not belong.
"""

from __future__ import annotations

from typing import Any

import bson
from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, ObjectId, Regex, Timestamp
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st


Strategy = st.SearchStrategy[Any]

_NAMES = st.text(max_size=12).filter(lambda name: "\0" not in name) | st.sampled_from(
    ["", "$gt", "$set", "a.b", "$", "delivery.state", "__proto__", "state", "_id", "é" * 40]
)
_DATES = st.integers(-(2**63), 2**63 - 1).map(DatetimeMS) | st.sampled_from(
    [DatetimeMS(0), DatetimeMS(253_402_300_800_000), DatetimeMS(-62_135_596_800_001)]
)

#: By BSON's kinds, as the documentation names them.
KINDS: dict[str, Strategy] = {
    "string": st.text(max_size=40)
    | st.sampled_from(["", " ", "\0", "null", "{{#each a}}{{/each}}", "\u202e", "a" * 70_000]),
    "number": st.integers(-(2**31), 2**31 - 1)
    | st.integers(-(2**63), 2**63 - 1).map(Int64)
    | st.floats()
    | st.sampled_from([0, -0.0, Int64(2**63 - 1), float("inf"), float("nan")]),
    "decimal": st.decimals(places=3, min_value=-(10**12), max_value=10**12).map(Decimal128)
    | st.sampled_from(["NaN", "sNaN", "Infinity", "1E+6144"]).map(Decimal128),
    "boolean": st.booleans(),
    "date": _DATES,
    "binary": st.binary(max_size=40)
    | st.builds(Binary, st.binary(min_size=16, max_size=16), st.sampled_from([0, 3, 4, 5, 6, 128])),
    "ObjectId": st.binary(min_size=12, max_size=12).map(ObjectId),
    "timestamp": st.builds(Timestamp, st.integers(1, 2**32 - 1), st.integers(0, 2**32 - 1)),
    "regex": st.builds(Regex, st.sampled_from(["", "(a+)+$", ".*"]), st.integers(0, 31)),
    "code": st.builds(Code, st.text(max_size=9).filter(lambda text: "\0" not in text))
    | st.builds(Code, st.just("x"), st.dictionaries(_NAMES, st.integers(0, 9), max_size=2)),
    "DBRef": st.builds(DBRef, st.just("mail"), st.integers(0, 9)),
    "MinKey": st.just(bson.MinKey()),
    "MaxKey": st.just(bson.MaxKey()),
}  # fmt: skip
_ANY = st.recursive(
    st.one_of(*KINDS.values(), st.none()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)
_NESTED = {
    "map": st.dictionaries(_NAMES, _ANY, max_size=4),
    "list": st.lists(_ANY, max_size=4),
}
#: MongoDB takes 180 levels in a document.
_DEEP = 150

Pool = dict[str, list[Any]]


def pool(size: int) -> Pool:
    """Make about so many values of each kind; the same in every run."""
    found = {kind: _examples(values, size) for kind, values in KINDS.items()}
    found |= {kind: _examples(values, size // 3) for kind, values in _NESTED.items()}
    found["map"] += [_nested_map(_DEEP), {"a": "x" * 200_000}, {str(n): n for n in range(3_000)}]
    found["list"] += [_nested_list(_DEEP), ["x"] * 20_000, [{}] * 5_000, [None] * 3]
    return found


def _examples(values: Strategy, size: int) -> list[Any]:
    found: list[Any] = []

    @settings(
        max_examples=size,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(values)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return [value for value in found if _fits(value)]


def _fits(value: Any) -> bool:
    """Leave out what the driver refuses to send."""
    try:
        bson.encode({"": value})
    except (bson.errors.BSONError, OverflowError, ValueError):
        return False
    return True


def _nested_map(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def _nested_list(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value

"""Values print, count and compare as in JavaScript."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.mail import handlebars
from tasks.mail.handlebars import TemplateError
from tasks.mail.handlebars.comparing import equal
from tasks.mail.handlebars.values import is_empty, is_true, passes, to_string


NUMBERS = [
    (0, "0"),
    (-0.0, "0"),
    (2.0, "2"),
    (-3, "-3"),
    (0.1 + 0.2, "0.30000000000000004"),
    (1e-6, "0.000001"),
    (1.5e-7, "1.5e-7"),
    (-1e-7, "-1e-7"),
    (123456789.123, "123456789.123"),
    (1e16, "10000000000000000"),
    (1.2345678901234567e20, "123456789012345670000"),
    (1e21, "1e+21"),
    (1.5e300, "1.5e+300"),
    (5e-324, "5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (2**53, "9007199254740992"),
    (2**63 - 1, "9223372036854775807"),
    (-(2**63), "-9223372036854775808"),
    (2**64, "18446744073709552000"),
    (10**21, "1e+21"),
    (10**400, "Infinity"),
    (-(10**400), "-Infinity"),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
    (math.nan, "NaN"),
]


@pytest.mark.parametrize(("number", "text"), NUMBERS, ids=map(str, range(len(NUMBERS))))
def test_numbers(number: float, text: str) -> None:
    """A number has JavaScript's text; a 64-bit integer keeps its digits."""
    assert to_string(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_can_be_read_back(number: float) -> None:
    """The text of a number is that number, and has no part that only Python writes."""
    text = to_string(number)
    assert float(text) == number
    assert not text.endswith(".0")
    assert "e0" not in text
    assert "e-0" not in text


TEXTS: list[tuple[Any, str]] = [
    (None, ""),
    (True, "true"),
    (False, "false"),
    ("<b>", "<b>"),
    ([], ""),
    ([[]], ""),
    ([None], ""),
    ([1, None, [2, [3, []]], {}, True], "1,,2,3,,[object Object],true"),
    ([[], []], ","),
    ({"a": 1}, "[object Object]"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=map(repr, range(len(TEXTS))))
def test_other_texts(value: Any, text: str) -> None:
    """Nothing is no text, lists are joined flat with commas, maps say that they are maps."""
    assert to_string(value) == text


def test_lists_without_an_end() -> None:
    """Lists inside lists need no recursion."""
    value: list[Any] = ["x"]
    for _ in range(100_000):
        value = [value]
    assert to_string(value) == "x"


#: value, true in JavaScript, passed by `if`, empty for `with`
TRUTHS: list[tuple[Any, bool, bool, bool]] = [
    (None, False, False, True),
    (False, False, False, True),
    (True, True, True, False),
    (0, False, False, False),
    (0.0, False, False, False),
    (math.nan, False, False, True),
    (1, True, True, False),
    ("", False, False, True),
    ("0", True, True, False),
    ([], True, False, True),
    ([0], True, True, False),
    ({}, True, True, False),
]


@pytest.mark.parametrize(
    ("value", "true", "passed", "empty"), TRUTHS, ids=[repr(truth[0]) for truth in TRUTHS]
)
def test_truth(value: Any, *, true: bool, passed: bool, empty: bool) -> None:
    """Only what JavaScript takes for false is false; `if` and `with` add empty lists to it."""
    assert (is_true(value), passes(value), is_empty(value)) == (true, passed, empty)


A_LIST: list[Any] = [3]
EQUAL: list[tuple[Any, Any, bool]] = [
    (None, None, True),
    (None, 0, False),
    (None, False, False),
    (1, 1.0, True),
    (1, True, True),
    ("1", 1, True),
    (" 1 ", 1, True),
    ("", 0, True),
    ("0x1F", 31, True),
    ("1e1", 10, True),
    ("Infinity", math.inf, True),
    ("one", 1, False),
    ("true", True, False),
    ("1", "1.0", False),
    (A_LIST, A_LIST, True),
    (A_LIST, [3], False),
    (A_LIST, 3, True),
    ("3", A_LIST, True),
    ([3, [4]], "3,4", True),
    ([3, 4], 3, False),
    ([], "", True),
    ([], 0, True),
    ([], None, False),
    ({}, {}, False),
    ({}, "[object Object]", True),
    ({}, 0, False),
    (["x" * 1000], "x", False),
    ("9" * 1000, math.inf, False),
    (math.nan, math.nan, False),
]


@pytest.mark.parametrize(
    ("left", "right", "result"), EQUAL, ids=[f"{number}" for number in range(len(EQUAL))]
)
def test_equality(left: Any, right: Any, *, result: bool) -> None:
    """Two contexts are the same when JavaScript's == says so, whichever comes first."""
    assert equal(left, right) is result
    assert equal(right, left) is result


def test_plain_copies() -> None:
    """Data is copied, with foreign values converted; what it was is left alone."""
    data = {"a": (1, {"b": 2j}), "c": [None, True, 1.5, "x"]}
    plain = handlebars.plain(data, lambda value: f"<{value}>")
    assert plain == {"a": [1, {"b": "<2j>"}], "c": [None, True, 1.5, "x"]}
    assert data["a"] == (1, {"b": 2j})


def test_plain_names_what_it_refuses() -> None:
    """A value that cannot be converted is named by its path."""

    def convert(_: object) -> object:
        raise TypeError("is no text")

    with pytest.raises(TemplateError, match=r'^data\.a\.1\."b c" is no text$'):
        handlebars.plain({"a": [0, {"b c": 1j}]}, convert)
    with pytest.raises(TemplateError, match=r"^data is of type object, which has no text$"):
        handlebars.plain(1j, lambda _: object())


def test_plain_is_bounded() -> None:
    """Data that is too deep is refused, not followed until the stack ends."""
    data: dict[str, Any] = {}
    data["self"] = data
    with pytest.raises(TemplateError, match="has more than 200 levels"):
        handlebars.plain(data, str)

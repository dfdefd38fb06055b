"""Values as JavaScript has them: how they print, and what counts as true.

Data is what JSON has: None, bool, int, float, str, list, dict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from tasks.mail.handlebars.errors import TemplateError


#: What JavaScript takes for white space; Python's str.strip has another set.
SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)

#: Integers of BSON have 64 bits and keep their digits; JavaScript would round them from 2**53 on.
_EXACT = 2**63
#: From these powers of ten on, JavaScript prints numbers with an exponent.
_MAX_POINT, _MIN_POINT = 21, -6


def to_string(value: object) -> str:
    """Give the text that a template shows for the value."""
    write = _TEXTS.get(type(value))
    if write is None:
        raise TemplateError(f"a value of type {type(value).__name__} has no text")
    return write(value)


def _from_int(value: int) -> str:
    return str(value) if -_EXACT <= value < _EXACT else _from_large(value)


def _from_large(value: int) -> str:
    try:
        return _from_float(float(value))
    except OverflowError:
        return "Infinity" if value > 0 else "-Infinity"


def _from_float(value: float) -> str:
    """Both languages print the shortest digits that give the number; the notation differs."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if value == 0:
        return "0"  # never -0
    mantissa, has_exponent, power = repr(abs(value)).partition("e")
    sign = "-" if value < 0 else ""
    if not has_exponent:
        return sign + mantissa.removesuffix(".0")
    point = int(power) + 1
    digits = mantissa.replace(".", "")
    if 0 < point <= _MAX_POINT:
        return sign + digits.ljust(point, "0")
    if _MIN_POINT < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{mantissa}e{int(power):+d}"


def leaves(values: list[object]) -> Iterator[str]:
    """Give the texts that a list of lists is joined from; an empty list is an empty text."""
    waiting = [iter(values or [None])]
    while waiting:
        for value in waiting[-1]:
            if isinstance(value, list):
                waiting.append(iter(value or [None]))
                break
            yield to_string(value)
        else:
            waiting.pop()


_TEXTS: dict[type, Callable[[Any], str]] = {
    str: lambda text: text,
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    int: _from_int,
    float: _from_float,
    list: lambda values: ",".join(leaves(values)),
    dict: lambda _: "[object Object]",
}


def is_true(value: object) -> bool:
    """Whether it counts as true in JavaScript: lists and maps do, even empty ones."""
    return not _is_nan(value) if value else isinstance(value, list | dict)


def is_empty(value: object) -> bool:
    """Whether `with` and `each` take it for nothing: what is false and not zero, an empty list."""
    if value:
        return _is_nan(value)
    return isinstance(value, bool) or not isinstance(value, int | float | dict)


def passes(value: object) -> bool:
    """Whether it meets the condition of an `if`: what is true and not empty."""
    return not _is_nan(value) if value else isinstance(value, dict)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)

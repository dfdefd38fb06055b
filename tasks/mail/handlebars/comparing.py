"""JavaScript's `==`, by which upstream decides whether a block has a new context.

Within a list of one, an item equals the list: `[3] == 3`. Then `..` goes a level further out.
"""

from __future__ import annotations

import math
import re

from tasks.mail.handlebars.values import SPACE, leaves


#: A longer text is not looked at as a number.
_MAX_NUMBER_LENGTH = 400
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_RADIX = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
_INFINITE = re.compile(r"[+-]?Infinity")


def equal(left: object, right: object) -> bool:
    """Whether `left == right` in JavaScript."""
    if left is right:
        return left == left  # noqa: PLR0124 — NaN
    if left is None or right is None:
        return False
    if isinstance(left, list | dict):
        return not isinstance(right, list | dict) and _container_equal(left, right)
    if isinstance(right, list | dict):
        return _container_equal(right, left)
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return _number(left) == _number(right)


def _container_equal(container: object, scalar: object) -> bool:
    if isinstance(scalar, str):
        return _text(container, len(scalar)) == scalar
    text = _text(container, _MAX_NUMBER_LENGTH)
    return text is not None and _number(text) == _number(scalar)


def _text(container: object, max_length: int) -> str | None:
    """Give the text of a list or map, or None when it is longer than what it is compared with."""
    if not isinstance(container, list):
        return "[object Object]"
    texts: list[str] = []
    for text in leaves(container):
        texts.append(text)
        max_length -= len(text) + 1
        if max_length < -1:
            return None
    return ",".join(texts)


def _number(value: object) -> float:
    if isinstance(value, bool | int | float):
        return value
    text = value.strip(SPACE) if isinstance(value, str) else ""
    if not text:
        return 0
    if len(text) > _MAX_NUMBER_LENGTH:
        return math.nan
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if _DECIMAL.fullmatch(text) or _INFINITE.fullmatch(text):
        return float(text)
    return math.nan

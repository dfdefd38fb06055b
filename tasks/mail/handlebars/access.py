"""Reading from data: keys of a map, indices of a list or string, lengths. There is nothing else.

Strings count in UTF-16 units, as in JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Protocol

from tasks.mail.handlebars.values import is_true, to_string


#: Keys that JavaScript takes for indices: it lists them first, in ascending order.
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_MAX_INDEX = 2**32 - 2

#: Characters of a string that are looked through at the cost of one step.
_CHARACTERS_PER_STEP = 1000


class Meter(Protocol):
    """Counts work."""

    def charge(self, steps: int) -> None: ...


def member(value: object, key: str, meter: Meter) -> Any:
    """Give what the value holds under this key; None if it holds nothing."""
    if isinstance(value, dict):
        return value.get(key)
    if not isinstance(value, list | str):
        return None
    if key == "length":
        return len(value) if isinstance(value, list) else _units(value, meter)
    if not _INDEX.fullmatch(key):
        return None
    return _item(value, int(key), meter)


def lookup(value: object, key: object, meter: Meter) -> Any:
    """Give what the `lookup` helper gives: of nothing, that nothing."""
    if not is_true(value):
        return value
    if key is None:
        return None
    if not isinstance(key, str):
        key = to_string(key)
        meter.charge(len(key))
    return member(value, key, meter)


def _item(value: list[Any] | str, index: int, meter: Meter) -> Any:
    if isinstance(value, str) and not value.isascii():
        return _unit(_encode(value, meter), index) or None
    return value[index] if index < len(value) else None


def _units(text: str, meter: Meter) -> int:
    return len(text) if text.isascii() else len(_encode(text, meter)) // 2


def _encode(text: str, meter: Meter) -> bytes:
    meter.charge(len(text) // _CHARACTERS_PER_STEP)
    return text.encode("utf-16-le", "surrogatepass")


def _unit(encoded: bytes, index: int) -> str:
    # Half of a pair cannot be written as UTF-8: JavaScript, too, makes U+FFFD of it.
    return encoded[2 * index : 2 * index + 2].decode("utf-16-le", "replace")


def entries(value: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Give the pairs of a map in JavaScript's order."""
    if not any(_is_index(key) for key in value):
        return value.items()
    indices = sorted((key for key in value if _is_index(key)), key=int)
    names = (key for key in value if not _is_index(key))
    return [(key, value[key]) for keys in (indices, names) for key in keys]


def _is_index(key: str) -> bool:
    return key[:1].isdigit() and bool(_INDEX.fullmatch(key)) and int(key) <= _MAX_INDEX


def as_map(value: object, meter: Meter) -> dict[str, Any]:
    """Give a new map with what the value holds, to put the parameters of a partial into."""
    if isinstance(value, dict):
        meter.charge(len(value))
        return dict(value)
    if isinstance(value, list):
        meter.charge(len(value))
        return {str(index): item for index, item in enumerate(value)}
    if isinstance(value, str):
        encoded = _encode(value, meter)
        meter.charge(len(encoded) // 2)
        return {str(index): _unit(encoded, index) for index in range(len(encoded) // 2)}
    return {}

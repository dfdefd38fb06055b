"""Foreign data → data that templates take, once before rendering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.mail.handlebars.errors import TemplateError, quote


#: Levels of lists and maps inside one another. MongoDB allows 100 in a document.
MAX_DEPTH = 200

_ATOMS = frozenset({str, int, float, bool, type(None)})


def plain(value: object, convert: Callable[[object], object], name: str = "data") -> Any:
    """Copy the value, with `convert` applied to all that is not of JSON's types.

    `convert` gives one of these types, or raises TypeError. `name` is what errors call the value.

    Raises TemplateError for what it refuses, naming its place: `data.items.0.photo`.
    """
    try:
        return _plain(value, convert, 0)
    except _Refused as refused:
        path = ".".join([name, *reversed(refused.path)])
        raise TemplateError(f"{path} {refused}") from refused.__cause__


class _Refused(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        #: The keys that lead to the value, the last one first.
        self.path: list[str] = []


def _plain(value: object, convert: Callable[[object], object], depth: int) -> object:
    if type(value) in _ATOMS:
        return value
    if depth > MAX_DEPTH:
        raise _Refused(f"has more than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {str(key): _item(key, item, convert, depth) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_item(index, item, convert, depth) for index, item in enumerate(value)]
    return _converted(value, convert)


def _item(key: object, item: object, convert: Callable[[object], object], depth: int) -> object:
    if type(item) in _ATOMS:
        return item
    try:
        return _plain(item, convert, depth + 1)
    except _Refused as refused:
        refused.path.append(_written(str(key)))
        raise


def _written(key: str) -> str:
    return key if key.isidentifier() or key.isdigit() else quote(key)


def _converted(value: object, convert: Callable[[object], object]) -> object:
    try:
        converted = convert(value)
    except TypeError as error:
        raise _Refused(str(error)) from error
    if type(converted) not in _ATOMS:
        raise _Refused(f"is of type {type(converted).__name__}, which has no text")
    return converted

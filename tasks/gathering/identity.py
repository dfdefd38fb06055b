"""Ids as documents name them: the `_id` itself, or a string that stands for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from bson import Binary, Int64, ObjectId


_INTEGER = re.compile(r"-?[1-9][0-9]{0,17}|0")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

#: Ids in one query: some megabytes at most, far below what a command may have.
_PAGE = 1_000

T = TypeVar("T")


def forms(id: Any) -> list[Any]:
    """List the values of `_id` that it may mean; the first that exists counts."""
    if not isinstance(id, str):
        return [id]
    found: list[Any] = [id]
    if ObjectId.is_valid(id):
        found.append(ObjectId(id))
    if _INTEGER.fullmatch(id):
        found.append(Int64(id))
    if _UUID.fullmatch(id):
        found.append(Binary.from_uuid(UUID(id)))
    return found


def pages(ids: Iterable[Any]) -> Iterator[list[Any]]:
    """Give the forms of all ids, in pieces for one query each."""
    every = list(dict.fromkeys(form for id in ids for form in forms(id)))
    for start in range(0, len(every), _PAGE):
        yield every[start : start + _PAGE]


def chosen(ids: Sequence[Any], found: Mapping[Any, T]) -> dict[Any, T]:
    """Give each id what was found under the first of its forms that exists."""
    first = ((id, next((form for form in forms(id) if form in found), None)) for id in ids)
    return {id: found[form] for id, form in first if form is not None}

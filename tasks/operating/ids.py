"""`_id` of any BSON type as text, and back: at the command line, in a URL."""

from __future__ import annotations

import json
from typing import Any

from bson.errors import BSONError
from bson.objectid import ObjectId

from tasks import wire


#: A plain number is of BSON's type int; larger ones, and the same ones of type long, are named.
_SMALL = range(-(2**31), 2**31)


def write(id: Any) -> str:
    """Write an id: ObjectIds as 24 digits, strings and small numbers as they are.

    Others are Extended JSON. A string that would read as something else is quoted. `read` gives
    exactly this id again.
    """
    if type(id) is ObjectId:
        return str(id)
    if type(id) is str and type(read(id)) is str and read(id) == id:
        return id
    if type(id) is int and id in _SMALL:
        return str(id)
    return json.dumps(wire.dump([id])[0], ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> Any:
    """Read what `write` wrote; plain JSON numbers, too. Anything else is a string."""
    if ObjectId.is_valid(text):
        return ObjectId(text)
    try:
        value = json.loads(text)
        return wire.load([value])[0] if not isinstance(value, list) else text
    except (ValueError, TypeError, RecursionError, OverflowError, BSONError):
        return text


def candidates(text: str) -> list[Any]:
    """Give all ids that a person may mean by a text: `7` is the number, and the string "7"."""
    exact = read(text)
    return [exact] if type(exact) is str else [exact, text]

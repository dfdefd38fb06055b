"""When a change stream's resume token was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


#: The type byte of a timestamp in MongoDB's KeyString, with which every token since 3.6 begins.
_TIMESTAMP = 0x82
#: That byte, four bytes of seconds and four of a counter.
_LENGTH = 9


def time_of(token: Any) -> int | None:
    """Read the seconds since 1970 from a token; None when it is none, or has another form."""
    data = token.get("_data") if isinstance(token, Mapping) else None
    if not isinstance(data, str):
        return None
    try:
        binary = bytes.fromhex(data)
    except ValueError:
        return None
    if len(binary) < _LENGTH or binary[0] != _TIMESTAMP:
        return None
    return int.from_bytes(binary[1:5])

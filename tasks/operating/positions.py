"""Where a page ended, as text for the next one: at the command line, in a URL."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import bson
from bson.errors import BSONError
from bson.max_key import MaxKey

from config.mongo import CODEC


#: A position holds an `_id` of at most some 4 KB for each state.
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class Position:
    """A place in one index, newest first. `is_seen`: the mail that stands there was shown."""

    time: Any
    id: Any
    is_seen: bool = True


#: Before the first.
START = Position(MaxKey(), MaxKey(), is_seen=False)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where each of the lists that a page is merged of goes on; one that has ended is absent."""

    places: Mapping[str, Position]

    def __str__(self) -> str:
        places = {name: [each.time, each.id, each.is_seen] for name, each in self.places.items()}
        return base64.urlsafe_b64encode(bson.encode(places, codec_options=CODEC)).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it back; raises ValueError."""
        try:
            binary = base64.b64decode(text[:_LONGEST], b"-_", validate=True)
            places = bson.decode(binary, codec_options=CODEC)
            return cls({name: _position(value) for name, value in places.items()})
        except (ValueError, TypeError, binascii.Error, BSONError):
            raise ValueError("is no place in this list; begin at the first page") from None


def _position(value: Any) -> Position:
    time, id, is_seen = value
    if not isinstance(is_seen, bool):
        raise TypeError
    return Position(time, id, is_seen)

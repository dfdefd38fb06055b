"""Document ids as JSON: what a task's message holds and Flower shows.

A string is itself; every other BSON type is MongoDB Extended JSON (v2, canonical), so an ObjectId
reads `{"$oid": "66f…"}` and the type survives the way: 1, 1.0 and "1" stay three different ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bson import json_util
from bson.codec_options import DatetimeConversion
from bson.json_util import JSONMode, JSONOptions
from bson.objectid import ObjectId


_OPTIONS = JSONOptions(
    json_mode=JSONMode.CANONICAL,
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)


def dump(ids: Iterable[Any]) -> list[Any]:
    """Turn ids of any BSON type into JSON values."""
    return [_dump(id) for id in ids]


def load(values: Iterable[Any]) -> list[Any]:
    """Read back what `dump` made; raises TypeError, ValueError or BSONError for anything else."""
    return [_load(value) for value in values]


def _dump(id: Any) -> Any:
    if type(id) is ObjectId:
        return {"$oid": str(id)}
    if type(id) is str:
        return id
    return json.loads(json_util.dumps(id, json_options=_OPTIONS))


def _load(value: Any) -> Any:
    if type(value) is str:
        return value
    if type(value) is dict and len(value) == 1 and type(value.get("$oid")) is str:
        return ObjectId(value["$oid"])
    return json_util.loads(json.dumps(value), json_options=_OPTIONS)

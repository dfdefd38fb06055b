"""Ids that name no document as the driver reads them."""

from __future__ import annotations

from typing import Any

import bson
from bson import Code, DBRef
from pymongo.collection import Collection

from tests.support.raw_bson import element, raw_document, string, subdocument


UNREADABLE: dict[str, bytes] = {
    "broken UTF-8": element("string", "_id", string(b"a\xff")),
    "half a surrogate pair": element("string", "_id", string(b"\xed\xa0\x80")),
    "a key twice": element(
        "map",
        "_id",
        subdocument(element("int", "a", b"\1\0\0\0"), element("int", "a", b"\2\0\0\0")),
    ),
    "undefined inside": element("map", "_id", subdocument(element("undefined", "a", b""))),
    "a DBPointer": element("DBPointer", "_id", string(b"ns") + b"x" * 12),
    "a regular expression's unknown flag": element(
        "map", "_id", subdocument(element("regex", "a", b"x\0zz\0"))
    ),
    "a scope that looks like an ObjectId": bson.encode({"_id": Code("x", {"$oid": "zz"})})[4:-1],
    "a DBRef that looks like one": bson.encode({"_id": DBRef("x", {"$oid": "zz"})})[4:-1],
    "binary data that is shorter than it says": element("binary", "_id", b"\3\0\0\0\2abc"),
    "too large": element("string", "_id", string(b"x" * 5_000)),
    "too large and broken": element("string", "_id", string(b"\xff" * 5_000)),
}


def insert(mails: Collection[dict[str, Any]], id: bytes, **fields: Any) -> None:
    """Insert a mail with this `_id`, as its bytes say."""
    raw: Any = mails
    raw.insert_one(raw_document(id, bson.encode({"to": "a@example.com", **fields})[4:-1]))

"""Ids by which a document cannot be named: nobody could claim it, and each sweep would find it.

BSON holds what the driver reads as something else: broken UTF-8, a key twice, types of long ago.
And a message to the workers holds less than BSON does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import bson
from bson import Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp
from bson.datetime_ms import DatetimeMS
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.cursor import RawBatchCursor

from config.mongo import CODEC, Document
from tasks import wire


#: A query that names one document.
Which = Mapping[str, Any]

#: Bytes of the largest `_id` as BSON. A thousand ids go into one query, fifty into one message.
LARGEST = 4096
#: Bytes after which no more documents are read at once: only such ids are so large.
ENOUGH = 16_000_000
TOO_LARGE = f"_id must not be larger than {LARGEST} bytes; insert the mail again with another"
NOT_READABLE = (
    "_id holds what cannot be read unambiguously (broken UTF-8, a key twice, an outdated type);"
    " insert the mail again with another"
)

#: What the driver reads is what stands there, it is small, and it comes through a message.
_PLAIN = frozenset(
    {ObjectId, Int64, int, float, bool, type(None), Decimal128, datetime, DatetimeMS}
    | {Timestamp, MinKey, MaxKey}
)
#: Characters; of four bytes each they are not too large.
_SHORT = 1000
#: In place of what is no UTF-8.
_REPLACED = "\N{REPLACEMENT CHARACTER}"
#: The id as it is stored, in a map of its own: what the driver may not be able to read.
_STORED: Document = {"_id": 0, "stored": {"_id": "$_id"}}
_RAW = CODEC.with_options(document_class=RawBSONDocument)


def key(id: Any) -> bytes:
    """Make a dictionary key of an id of any BSON type (a subdocument is not hashable)."""
    return bson.encode({"": id})


def fault(id: Any) -> str | None:
    """Say what is wrong with an id as the driver reads it."""
    if is_plain(id):
        return None
    if len(key(id)) > LARGEST:
        return TOO_LARGE
    return None if _comes_through(id) else NOT_READABLE


def find(
    mails: Collection[Document], query: Which, fields: Document, **options: Any
) -> RawBatchCursor[Document]:
    """Find documents, for `read`; `options` are those of the find."""
    return mails.find_raw_batches(query, {**fields, **_STORED}, **options)


def read(batch: Any) -> list[Document]:
    """Read a batch of `find`: bytes, whatever the driver's types say.

    A document that its id does not name has `fault`, which says why; its `_id` is None then.
    """
    try:
        documents = [_with_id(each) for each in bson.decode_all(batch, CODEC)]
    except BSONError:
        return list(_read_apart(batch))
    if all(is_plain(each["_id"]) for each in documents):
        return documents
    return list(_read_apart(batch))


def which(document: Document) -> Which:
    """Name one that was read so."""
    stored: Which | None = document.get("stored")
    return {"_id": document["_id"]} if stored is None else stored


def of(which: Which) -> Any:
    """Read the id out of a query that names a document, for a log."""
    try:
        return which["_id"]
    except BSONError:
        return None


def _with_id(document: Document) -> Document:
    document["_id"] = document.pop("stored")["_id"]
    return document


def _read_apart(batch: bytes) -> Iterator[Document]:
    for raw in bson.decode_all(batch, _RAW):
        try:
            document = _with_id(bson.decode(raw.raw, CODEC))
            stands = bson.encode({"_id": document["_id"]}) == raw["stored"].raw
            text = fault(document["_id"]) or (None if stands else NOT_READABLE)
        except BSONError:
            document, text = {}, NOT_READABLE
        if text is not None:
            document |= {"_id": None, "stored": raw["stored"], "fault": text}
        yield document


def is_plain(id: Any) -> bool:
    """Tell whether it certainly names its document, in a query and in a message."""
    if type(id) is str:
        return len(id) < _SHORT and _REPLACED not in id
    return type(id) in _PLAIN


def _comes_through(id: Any) -> bool:
    try:
        [back] = wire.load(json.loads(json.dumps(wire.dump([id]))))
        return key(back) == key(id)
    except (BSONError, ValueError, TypeError, RecursionError):
        return False

"""Documents in which no state can be written: `delivery` of a wrong type, or no room for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from config.mongo import Document
from tasks.delivery import states
from tasks.delivery.states import State


#: Server error codes that speak of this document, not of the server (MongoDB's error_codes.yml).
TYPE_MISMATCH, PATH_NOT_VIABLE = 14, 28
VALIDATION_FAILED = 121
TOO_LARGE = frozenset({10334, 17280, 17419, 17420})
_WRONG_TYPE = frozenset({TYPE_MISMATCH, PATH_NOT_VIABLE})

#: Documents too large to carry a `delivery` are moved to `<collection>.oversize`.
OVERSIZE = "oversize"

_log = structlog.get_logger(__name__)


def is_about_the_document(code: int | None) -> bool:
    """Tell whether another document would have been updated without this error."""
    return code in _WRONG_TYPE or code in TOO_LARGE or code == VALIDATION_FAILED


def settle(
    mails: Collection[Document], id: Any, code: int | None, message: str, now: datetime
) -> None:
    """Give a document that refused an update a `delivery` that says so. Raises PyMongoError."""
    if code in TOO_LARGE:
        move_away(mails, id, now)
    elif code in _WRONG_TYPE:
        _settle_wrong_type(mails, id, now)
    else:
        # The collection's validator forbids what we write: only its owner can mend that.
        _log.error("mail.unwritable", id=id, code=code, error=message)


def _settle_wrong_type(mails: Collection[Document], id: Any, now: datetime) -> None:
    types = {"kind": {"$type": "$delivery"}, "attempts": {"$type": "$delivery.attempts"}}
    found = mails.find_one({"_id": id}, types)
    if found is None:
        return
    if found["kind"] == "null":
        # Nothing can be written below null. Without it the watcher sees a new mail.
        mails.update_one({"_id": id, "delivery": None}, {"$unset": {"delivery": ""}})
    elif found["kind"] != "object":
        replace_wrong_type(mails, id, states.wrong_type(found["kind"]), now)
    else:
        text = f"delivery.attempts must be a number, not {found['attempts']}"
        _set_error(mails, {"_id": id, "delivery.state": {"$ne": State.SUCCESS}}, text, now)


def replace_wrong_type(mails: Collection[Document], id: Any, text: str, now: datetime) -> None:
    """Replace a `delivery` that is no map by an ERROR. Raises PyMongoError."""
    wrong = {"$expr": {"$ne": [{"$type": "$delivery"}, "object"]}}
    _set_error(mails, {"_id": id, **wrong}, text, now)


def move_away(mails: Collection[Document], id: Any, now: datetime) -> None:
    """Copy a document without room for a `delivery` to the side; leave an ERROR in its place.

    Nothing is lost: the copy in `<collection>.oversize` is whole. Raises PyMongoError.
    """
    aside = mails.database[f"{mails.name}.{OVERSIZE}"]
    mails.aggregate(
        [{"$match": {"_id": id}}, {"$merge": {"into": aside.name, "whenMatched": "replace"}}]
    )
    text = (
        "the document is too large: MongoDB's limit is 16 MB and its delivery does not fit in. "
        f"It was moved to the collection {aside.name}"
    )
    mails.replace_one({"_id": id}, {"delivery": error(text, now), "movedTo": aside.name})
    _log.error("mail.too_large", id=id, moved_to=aside.name)


def error(text: str, now: datetime) -> Document:
    """Make the `delivery` of a mail that nobody tried to send."""
    return {
        "state": State.ERROR.value,
        "startTime": now,
        "endTime": now,
        "error": text,
        "attempts": 0,
        "leaseExpireTime": None,
        "info": None,
    }


def _set_error(mails: Collection[Document], query: Document, text: str, now: datetime) -> None:
    try:
        mails.update_one(query, {"$set": {"delivery": error(text, now)}})
    except OperationFailure as failure:
        if failure.code not in TOO_LARGE:
            raise
        move_away(mails, query["_id"], now)

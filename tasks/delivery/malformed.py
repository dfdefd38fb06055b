"""Documents in which no state can be written: `delivery` of a wrong type, or no room for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, OperationFailure

from config.mongo import Document
from tasks.clock import Now
from tasks.delivery import states
from tasks.delivery.candidate import LARGEST_ID
from tasks.delivery.states import State


#: Server error codes that speak of this document, not of the server (MongoDB's error_codes.yml).
#: BadValue: $inc beyond 64 bits.
BAD_VALUE, TYPE_MISMATCH, PATH_NOT_VIABLE = 2, 14, 28
VALIDATION_FAILED = 121
TOO_LARGE = frozenset({10334, 17280, 17419, 17420})
_WRONG_TYPE = frozenset({BAD_VALUE, TYPE_MISMATCH, PATH_NOT_VIABLE})
#: More attempts than this are no count.
_MOST_ATTEMPTS = 2**53

#: Documents too large to carry a `delivery` are moved to `<collection>.oversize`.
OVERSIZE = "oversize"

_log = structlog.get_logger(__name__)


def is_about_the_document(code: int | None) -> bool:
    """Tell whether another document would have been updated without this error."""
    return code in _WRONG_TYPE or code in TOO_LARGE or code == VALIDATION_FAILED


def counts(attempts: Any) -> bool:
    """Tell whether `delivery.attempts` is a whole number (drivers may write it as a double)."""
    number = isinstance(attempts, int | float) and not isinstance(attempts, bool)
    return number and attempts % 1 == 0 and 0 <= attempts < _MOST_ATTEMPTS


class Malformed:
    """Gives such documents a `delivery` that says what is wrong. Methods raise PyMongoError."""

    def __init__(self, mails: Collection[Document], now: Now, ttl: timedelta | None) -> None:
        self._mails = mails
        self._now = now
        self._ttl = ttl

    def settle(self, id: Any, code: int | None, message: str) -> None:
        """Give a document that refused an update a `delivery` that says so."""
        if code in TOO_LARGE:
            self._refuse_too_large(id)
        elif code in _WRONG_TYPE:
            self._settle_wrong_type(id)
        else:
            # The collection's validator forbids what we write: only its owner can mend that.
            _log.error("mail.unwritable", id=id, code=code, error=message)

    def settle_all(self, error: BulkWriteError, ids: Sequence[Any]) -> None:
        """Do so with each failure of a bulk write; `ids` are those of its requests, in order.

        Raises the error itself when it speaks of the server.
        """
        failures = error.details["writeErrors"]
        about_documents = all(is_about_the_document(failure["code"]) for failure in failures)
        if error.details["writeConcernErrors"] or not about_documents:
            raise error
        for failure in failures:
            self.settle(ids[failure["index"]], failure["code"], failure["errmsg"])

    def _settle_wrong_type(self, id: Any) -> None:
        found = self._mails.find_one({"_id": id}, {"kind": {"$type": "$delivery"}})
        if found is None:
            return
        if found["kind"] == "null":
            # Nothing can be written below null. Without it the watcher sees a new mail.
            self._mails.update_one({"_id": id, "delivery": None}, {"$unset": {"delivery": ""}})
        elif found["kind"] != "object":
            self.refuse(id, found["kind"])
        else:
            self.refuse_attempts(id)

    def refuse_attempts(self, id: Any) -> None:
        """Replace a `delivery` whose `attempts` is no count by an ERROR.

        Null means absent: it is removed, and the sweep enqueues the mail again.
        """
        found = self._mails.find_one({"_id": id}, {"delivery.attempts": 1})
        attempts = states.subdocument(found or {}).get("attempts", 0)
        query = {"_id": id, "delivery.attempts": {"$eq": attempts}}
        if attempts is None:
            self._mails.update_one(query, {"$unset": {"delivery.attempts": ""}})
        elif not counts(attempts):
            shown = (
                attempts if isinstance(attempts, int | float) else f"a {type(attempts).__name__}"
            )
            text = f"delivery.attempts must be a whole number, 0 or more, not {shown}"
            self._set_error(query, text)
        else:
            _log.error("mail.unwritable", id=id)

    def refuse_id(self, id: Any) -> None:
        """Put an ERROR into a document whose `_id` is too large to be queued."""
        text = f"_id must not be larger than {LARGEST_ID} bytes; insert the mail again with another"
        self._set_error({"_id": id}, text)

    def refuse(self, id: Any, bson_type: str) -> None:
        """Replace a `delivery` that is no map, or whose state is a list, by an ERROR.

        `bson_type` is that of `delivery`, as $type names it. A list with PENDING in it matches
        every query for PENDING: the sweep would find it for ever.
        """
        if bson_type == "object":
            query: Document = {"_id": id, "delivery.state": {"$type": "array"}}
            self._set_error(query, "delivery.state must be a string, not a list")
            return
        maps = ["object", "missing", "null"]
        wrong = {"$expr": {"$not": {"$in": [{"$type": "$delivery"}, maps]}}}
        self._set_error({"_id": id, **wrong}, states.wrong_type(bson_type))

    def refuse_reference(self, id: Any) -> None:
        """Replace a `delivery` that the driver reads as a DBRef: to the server it is a map."""
        query = {"_id": id, "delivery.$ref": {"$exists": True}}
        self._set_error(query, states.wrong_type("DBRef"))

    def move_away(self, id: Any, delivery: Document) -> None:
        """Copy a document without room for a `delivery` to the side; leave `delivery` in its place.

        Nothing is lost: the copy in `<collection>.oversize` is whole.
        """
        aside = self._mails.database[f"{self._mails.name}.{OVERSIZE}"]
        self._mails.aggregate(
            [{"$match": {"_id": id}}, {"$merge": {"into": aside.name, "whenMatched": "replace"}}]
        )
        self._mails.replace_one({"_id": id}, {"delivery": delivery, "movedTo": aside.name})
        _log.error("mail.too_large", id=id, moved_to=aside.name)

    def _refuse_too_large(self, id: Any) -> None:
        text = (
            "the document is too large: MongoDB's limit is 16 MB and its delivery does not fit in. "
            f"It was moved to the collection {self._mails.name}.{OVERSIZE}"
        )
        self.move_away(id, self._error(text))

    def _set_error(self, query: Document, text: str) -> None:
        try:
            self._mails.update_one(query, {"$set": {"delivery": self._error(text)}})
        except OperationFailure as failure:
            if failure.code not in TOO_LARGE:
                raise
            self._refuse_too_large(query["_id"])

    def _error(self, text: str) -> Document:
        """Make the `delivery` of a mail that nobody tried to send."""
        now = self._now()
        delivery: Document = {
            "state": State.ERROR.value,
            "startTime": now,
            "endTime": now,
            "error": text,
            "attempts": 0,
            "leaseExpireTime": None,
            "info": None,
        }
        if self._ttl is not None:
            delivery["expireAt"] = states.expire_time(now, self._ttl)
        return delivery

"""Documents in which no state can be written: `delivery` of a wrong type, or no room for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from bson.errors import BSONError
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, OperationFailure

from config.mongo import Document
from tasks.clock import Now
from tasks.delivery import ids, states
from tasks.delivery.candidate import DBREF
from tasks.delivery.ids import Which
from tasks.delivery.states import CLAIMABLE, State


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
#: Mails that somebody still has to do something about.
_LIVE: Document = {"delivery.state": {"$in": [*CLAIMABLE, State.PROCESSING]}}

_log = structlog.get_logger(__name__)


def is_about_the_document(code: int | None) -> bool:
    """Tell whether another document would have been updated without this error."""
    return code in _WRONG_TYPE or code in TOO_LARGE or code == VALIDATION_FAILED


def counts(attempts: Any) -> bool:
    """Tell whether `delivery.attempts` is a whole number (drivers may write it as a double)."""
    number = isinstance(attempts, int | float) and not isinstance(attempts, bool)
    return number and attempts % 1 == 0 and 0 <= attempts < _MOST_ATTEMPTS


class Malformed:
    """Gives such documents a `delivery` that says what is wrong. Methods raise PyMongoError.

    `which` is a query that names one.
    """

    def __init__(self, mails: Collection[Document], now: Now, ttl: timedelta | None) -> None:
        self._mails = mails
        self._now = now
        self._ttl = ttl

    def settle(self, which: Which, code: int | None, message: str) -> None:
        """Give a document that refused an update a `delivery` that says so."""
        if code in TOO_LARGE:
            self._refuse_too_large(which)
        elif code in _WRONG_TYPE:
            self._settle_wrong_type(which)
        else:
            # The collection's validator forbids what we write: only its owner can mend that.
            _log.error("mail.unwritable", id=ids.of(which), code=code, error=message)

    def settle_all(self, error: BulkWriteError, all_: Sequence[Which]) -> None:
        """Do so with each failure of a bulk write; `all_` are those of its requests, in order.

        Raises the error itself when it speaks of the server.
        """
        failures = error.details["writeErrors"]
        about_documents = all(is_about_the_document(failure["code"]) for failure in failures)
        if error.details["writeConcernErrors"] or not about_documents:
            raise error
        for failure in failures:
            self.settle(all_[failure["index"]], failure["code"], failure["errmsg"])

    def _settle_wrong_type(self, which: Which) -> None:
        found = self._mails.find_one(which, {"_id": 0, "kind": {"$type": "$delivery"}})
        if found is None:
            return
        if found["kind"] == "null":
            # Nothing can be written below null. Without it the watcher sees a new mail.
            null = {"$and": [which, {"delivery": None}]}
            self._mails.update_one(null, {"$unset": {"delivery": ""}})
        elif found["kind"] != "object":
            self.refuse(which, found["kind"])
        else:
            self.refuse_attempts(which)

    def refuse_attempts(self, which: Which) -> None:
        """Replace a `delivery` whose `attempts` is no count by an ERROR.

        Null means absent: it is removed, and the sweep enqueues the mail again.
        """
        try:
            found = self._mails.find_one(which, {"delivery.attempts": 1, "delivery.state": 1})
        except BSONError:
            self.refuse_unreadable(which)
            return
        delivery = states.subdocument(found or {})
        attempts = delivery.get("attempts", 0)
        same = {"delivery.attempts": {"$eq": attempts}}
        if attempts is None:
            query = {"$and": [which, same]}
            self._mails.update_one(query, {"$unset": {"delivery.attempts": ""}})
        elif not counts(attempts):
            shown = (
                attempts if isinstance(attempts, int | float) else f"a {type(attempts).__name__}"
            )
            text = f"delivery.attempts must be a whole number, 0 or more, not {shown}"
            self._set_error(which, same, text)
        elif delivery.get("state") in CLAIMABLE:  # else another claim has seen to it
            _log.error("mail.unwritable", id=ids.of(which))

    def refuse_unreadable(self, which: Which) -> None:
        """Put an ERROR into a mail that the driver cannot read."""
        self._set_error(which, _LIVE, states.UNREADABLE)

    def refuse_id(self, which: Which, text: str) -> None:
        """Put an ERROR into a mail that waits and cannot be queued because of its `_id`."""
        self._set_error(which, _LIVE, text)

    def refuse(self, which: Which, bson_type: str) -> None:
        """Replace a `delivery` that is no map, or whose state is a list, by an ERROR.

        `bson_type` is that of `delivery`, as $type names it, or DBREF. A list with PENDING in it
        matches every query for PENDING: the sweep would find it for ever.
        """
        if bson_type == "object":
            array = {"delivery.state": {"$type": "array"}}
            self._set_error(which, array, "delivery.state must be a string, not a list")
            return
        maps = ["object", "missing", "null"]
        wrong: Document = {"$expr": {"$not": {"$in": [{"$type": "$delivery"}, maps]}}}
        if bson_type == DBREF:
            wrong = {"delivery.$ref": {"$type": "string"}}
        self._set_error(which, wrong, states.wrong_type(bson_type))

    def move_away(self, which: Which, delivery: Document) -> None:
        """Copy a document without room for a `delivery` to the side; leave `delivery` in its place.

        Nothing is lost: the copy in `<collection>.oversize` is whole.
        """
        aside = self._mails.database[f"{self._mails.name}.{OVERSIZE}"]
        self._mails.aggregate(
            [{"$match": which}, {"$merge": {"into": aside.name, "whenMatched": "replace"}}]
        )
        self._mails.replace_one(which, {"delivery": delivery, "movedTo": aside.name})
        _log.error("mail.too_large", id=ids.of(which), moved_to=aside.name)

    def _refuse_too_large(self, which: Which) -> None:
        text = (
            "the document is too large: MongoDB's limit is 16 MB and its delivery does not fit in. "
            f"It was moved to the collection {self._mails.name}.{OVERSIZE}"
        )
        self.move_away(which, self._error(text))

    def _set_error(self, which: Which, condition: Document, text: str) -> None:
        query = {"$and": [which, condition]}
        try:
            self._mails.update_one(query, {"$set": {"delivery": self._error(text)}})
        except OperationFailure as failure:
            if failure.code not in TOO_LARGE:
                raise
            self._refuse_too_large(which)

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

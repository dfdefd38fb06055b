"""What becomes of mails, as it happens: read from a change stream of its own, without bodies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo.change_stream import CollectionChangeStream
from pymongo.collection import Collection

from config.mongo import Document
from tasks.operating import mails as views
from tasks.operating.mails import Mail


#: Milliseconds that one look into the stream waits.
_WAIT = 200
_KINDS = ("insert", "update", "replace", "delete")
_BODIES = ("text", "html", "amp", "attachments", "alternatives", "icalEvent")
DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Change:
    """A mail came into a state, NEW and `deleted` included; `error` where the write brought one."""

    id: Any
    state: str
    at: datetime
    error: str | None = None


def watch(
    mails: Collection[Document], ids: list[Any] | None = None
) -> CollectionChangeStream[Document]:
    """Open a stream over these mails, or over all. `try_next` waits a fifth of a second at most.

    Raises PyMongoError.
    """
    match: Document = {"operationType": {"$in": list(_KINDS)}}
    if ids is not None:
        match["documentKey._id"] = {"$in": ids}
    without = {f"fullDocument.message.{name}": 0 for name in _BODIES}
    return mails.watch(
        [{"$match": match}, {"$project": {**without, "fullDocument.data": 0}}],
        max_await_time_ms=_WAIT,
    )


def read(event: Document) -> Change | None:
    """Take an event apart; None when it does not say a state."""
    at = event.get("wallTime") or datetime.now(UTC)  # MongoDB before 6.0 has no wallTime
    id = event["documentKey"]["_id"]
    if event["operationType"] == "delete":
        return Change(id, DELETED, at)
    if event["operationType"] == "update":
        delivery = _updated(event["updateDescription"])
        if delivery is None:
            return None
        mail = Mail.of({"_id": id, "delivery": delivery})
    else:
        mail = Mail.of(event["fullDocument"])
    return Change(id, mail.state, at, mail.error)


def until_settled(mails: Collection[Document], id: Any, deadline: float) -> Iterator[Mail | None]:
    """Give a mail as it is, and again after each change of its state, until nothing more happens.

    None: it was removed. Ends at time.monotonic() `deadline` at the latest. Raises PyMongoError.
    """
    with watch(mails, [id]) as stream:
        shown: tuple[Any, ...] | None = None
        while True:
            mail = views.get(mails, id)
            story = (mail.state, mail.attempts, mail.phase, mail.waits_for) if mail else ()
            if story != shown:
                yield mail
            if mail is None or mail.is_settled:
                return
            shown = story
            while stream.try_next() is None:
                if time.monotonic() > deadline:
                    return


def _updated(description: Document) -> Document | None:
    """Collect what an update wrote below `delivery`, as a whole or by dotted names."""
    fields, removed = description["updatedFields"], description.get("removedFields") or []
    if "delivery" in removed or "delivery.state" in removed:
        return {}
    whole = fields.get("delivery")
    if isinstance(whole, dict):
        return whole
    dotted = {
        name.removeprefix("delivery."): value
        for name, value in fields.items()
        if name.startswith("delivery.")
    }
    return dotted if "state" in dotted else None

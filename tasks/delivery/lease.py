"""What a claim asks for and writes, one mail's or a group's."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.mongo import Document
from tasks.delivery.states import CLAIMABLE, Phase, State


def claiming(
    which: Document, token: str, now: datetime, lease: timedelta
) -> tuple[Document, Document]:
    """Make the query and the update that take those of `which` that wait to be sent."""
    not_later = {"$not": {"$gt": now}}
    query: Document = {
        **which,
        "delivery.state": {"$in": CLAIMABLE},
        "delivery.nextAttemptTime": not_later,
        # A list is no time: it is claimed, so that the worker says so.
        "$or": [{"sendAt": not_later}, {"sendAt": {"$type": "array"}}],
    }
    changes = {
        "delivery.state": State.PROCESSING.value,
        "delivery.phase": Phase.CLAIMED.value,
        "delivery.worker": token,
        "delivery.leaseExpireTime": now + lease,
        "delivery.nextAttemptTime": None,
        "delivery.endTime": None,
        "delivery.error": None,
    }
    update = {
        "$set": changes,
        "$inc": {"delivery.attempts": 1},
        "$min": {"delivery.startTime": now},
        # Whoever wrote RETRY has settled what became of the attempt before.
        "$unset": {"delivery.inDoubt": ""},
    }
    return query, update


def own(token: str) -> Document:
    """Make the query for what was claimed with this token."""
    return {"delivery.worker": token, "delivery.state": State.PROCESSING.value}

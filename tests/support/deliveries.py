"""Waiting mails for tests of the state machine."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from tasks.delivery import states
from tasks.delivery.claim import Claim, Claims


def insert_pending(
    mails: Collection[dict[str, Any]], now: datetime, id: Any = "mail", **fields: Any
) -> Any:
    """Insert a mail as the watcher leaves it; `fields` are of `delivery`."""
    delivery = {**states.pending(now, None, enqueued=True), **fields}
    mails.insert_one({"_id": id, "to": "a@example.com", "delivery": delivery})
    return id


def delivery_of(mails: Collection[dict[str, Any]], id: Any = "mail") -> Any:
    """Read what stands in `delivery`."""
    document = mails.find_one({"_id": id})
    assert document is not None, f"{id!r} is gone"
    return document.get("delivery")


def must_claim(claims: Claims, id: Any = "mail", token: str = "worker:1") -> Claim:
    """Claim a mail that waits."""
    claim = claims.claim(id, token)
    assert claim is not None, f"{id!r} was not claimed"
    return claim

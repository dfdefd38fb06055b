"""Change events of MongoDB → CloudEvents: pure functions.

An event holds what the change itself says, not what stands in the document a moment later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bson import json_util
from bson.datetime_ms import DatetimeMS
from bson.objectid import ObjectId

from config.mongo import Document
from tasks import wire
from tasks.delivery.states import CLAIMABLE, State


#: The extension's.
PREFIX = "firebase.extensions.firestore-send-email.v1."

_OF_STATE: dict[str, tuple[str, ...]] = {
    State.PENDING: ("onPending",),
    State.PROCESSING: ("onProcessing",),
    State.RETRY: ("onRetry",),
    State.SUCCESS: ("onSuccess", "onComplete"),
    State.ERROR: ("onError", "onComplete"),
}
#: Of `delivery`; the rest is between the workers.
_SHOWN = (
    "state", "attempts", "startTime", "endTime", "error", "errors", "info", "inDoubt", "retries",
    "nextAttemptTime", "waitsFor", "leaseExpireTime", "expireAt",
)  # fmt: skip

_UPDATED = "$updateDescription.updatedFields"
_CHANGED = {
    "$filter": {
        "input": {"$objectToArray": {"$ifNull": [_UPDATED, {}]}},
        "cond": {"$regexMatch": {"input": "$$this.k", "regex": r"^delivery(\.|$)"}},
    }
}
_STATE_SET = {
    "$gt": [
        {
            "$size": {
                "$filter": {
                    "input": {"$objectToArray": {"$ifNull": [_UPDATED, {}]}},
                    "cond": {"$in": ["$$this.k", ["delivery", "delivery.state"]]},
                }
            }
        },
        0,
    ]
}

PIPELINE: list[Document] = [
    {
        "$match": {
            "$or": [
                {
                    "operationType": {"$in": ["insert", "replace"]},
                    "fullDocument.delivery.state": {"$type": "string"},
                },
                {"operationType": "update", "$expr": _STATE_SET},
                {"operationType": {"$in": ["drop", "rename", "dropDatabase", "invalidate"]}},
            ]
        }
    },
    {
        "$project": {
            "operationType": 1,
            "wallTime": 1,
            "id": {"_id": "$documentKey._id"},
            "changed": _CHANGED,
            "delivery": "$fullDocument.delivery",
            "movedTo": "$fullDocument.movedTo",
        }
    },
]


def of_change(change: Mapping[str, Any], source: str, wanted: Sequence[str]) -> list[Document]:
    """Make the events of one change; none when no state of ours was set."""
    if change["operationType"] not in ("insert", "replace", "update"):
        return []
    delivery = _delivery(change)
    types = [each for each in _types(change, delivery) if each in wanted]
    happened = change.get("wallTime") or datetime.now(UTC)
    return [_event(each, change["_id"], change["id"], delivery, happened, source) for each in types]


def of_ended(document: Mapping[str, Any], source: str, wanted: Sequence[str]) -> list[Document]:
    """Make the events of a document that ended when nobody looked."""
    delivery = dict(document["delivery"])
    happened = delivery.get("endTime")
    if not isinstance(happened, datetime):
        happened = datetime.now(UTC)
    origin = {"missed": str(document["_id"]), "at": happened.isoformat()}
    types = [each for each in _OF_STATE.get(delivery.get("state", ""), ()) if each in wanted]
    return [_event(each, origin, document["_id"], delivery, happened, source) for each in types]


def _delivery(change: Mapping[str, Any]) -> Document:
    if change["operationType"] != "update":
        return _map(change.get("delivery"))
    found: Document = {}
    for each in change["changed"]:
        name: str = each["k"]
        if name == "delivery":
            found |= _map(each["v"])
        else:
            found[name.removeprefix("delivery.")] = each["v"]
    return found


def _types(change: Mapping[str, Any], delivery: Mapping[str, Any]) -> tuple[str, ...]:
    state = delivery.get("state")
    kind = change["operationType"]
    if not isinstance(state, str):
        return ()
    if kind == "insert" and state not in CLAIMABLE:
        return ()  # somebody's copy, a restored backup
    if kind == "replace" and state not in CLAIMABLE and change.get("movedTo") is None:
        return ()
    if state == State.PENDING:
        return _pending(change, delivery)
    return _OF_STATE.get(state, ())


def _pending(change: Mapping[str, Any], delivery: Mapping[str, Any]) -> tuple[str, ...]:
    """A new mail starts; one that was attempted waits for its next attempt; another goes back."""
    whole = change["operationType"] != "update" or any(
        each["k"] == "delivery" for each in change["changed"]
    )
    if whole:
        return ("onStart", "onPending")
    again = "retries" in delivery or "throttled" in delivery
    return ("onRetry",) if again else ("onPending",)


def _event(  # noqa: PLR0913, PLR0917 - the fields of an event
    kind: str, origin: Any, id: Any, delivery: Document, happened: datetime, source: str
) -> Document:
    """`origin`: the same change gives the same id each time, so that a receiver may drop a twin."""
    said = json.dumps([origin, kind], default=json_util.default, sort_keys=True)
    [wired] = wire.dump([id])
    return {
        "specversion": "1.0",
        "id": hashlib.sha256(said.encode()).hexdigest()[:32],
        "source": source,
        "type": PREFIX + kind,
        "subject": str(id) if isinstance(id, ObjectId) else _text(wired),
        "time": _time(happened),
        "datacontenttype": "application/json",
        "data": {
            "id": wired,
            "delivery": {name: _plain(delivery[name]) for name in _SHOWN if name in delivery},
        },
    }


def _map(value: Any) -> Document:
    return dict(value) if isinstance(value, Mapping) else {}


def _text(wired: Any) -> str:
    return wired if isinstance(wired, str) else json.dumps(wired, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Make JSON of what stands in `delivery`: times as text, ids as in Flower."""
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, DatetimeMS):
        return {"$date": int(value)}
    return json.loads(json_util.dumps(value))


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

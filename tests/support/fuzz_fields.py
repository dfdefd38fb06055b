"""What each field of a document takes, written down from docs/document.md and not from the code."""

from __future__ import annotations

import copy
from typing import Any


Path = tuple[str | int, ...]

_TEXT = frozenset({"string"})
_TEXTS = frozenset({"string", "list"})
_MAP = frozenset({"map"})
_LIST = frozenset({"list"})
_DATE = frozenset({"date"})
_BYTES = frozenset({"string", "binary"})

_PART: dict[str, frozenset[str]] = {
    # `false` is allowed: no name.
    "filename": frozenset({"string", "boolean"}),
    "content": _BYTES,
    "encoding": _TEXT,
    "contentType": _TEXT,
    "headers": _MAP,
    "path": _TEXT,
    "href": _TEXT,
    "httpHeaders": _MAP,
    "raw": _BYTES,
}
#: Path → the kinds of values it takes, beside null. `priority` is not here for lists: MongoDB
#: refuses those.
FIELDS: dict[Path, frozenset[str]] = {
    **{(name,): _TEXTS for name in ("to", "cc", "bcc", "categories")},
    **{(name, 0): _TEXT for name in ("to", "cc", "bcc", "categories")},
    **{(name,): _LIST for name in ("toUids", "ccUids", "bccUids")},
    **{(name,): _TEXT for name in ("from", "replyTo", "idempotencyKey", "transport")},
    **{(name,): _MAP for name in ("headers", "list", "dsn", "message", "template", "sendGrid")},
    **{(name,): _DATE for name in ("sendAt", "deliverBefore")},
    ("priority",): _TEXTS,
    ("headers", "X-Fuzz"): _TEXTS,
    ("headers", "X-Fuzz", 0): _TEXT,
    ("list", "unsubscribe"): _TEXTS,
    ("list", "oneClick"): frozenset({"boolean"}),
    ("list", "id"): _TEXT,
    ("dsn", "notify"): _TEXTS,
    ("dsn", "return"): _TEXT,
    ("dsn", "id"): _TEXT,
    **{("message", name): _TEXT for name in ("subject", "text", "html", "amp", "messageId")},
    ("message", "icalEvent"): frozenset({"map", *_BYTES}),
    ("message", "icalEvent", "method"): _TEXT,
    **{("message", name): _LIST for name in ("attachments", "alternatives")},
    **{("message", name, 0): _MAP for name in ("attachments", "alternatives")},
    **{("message", "attachments", 0, name): kinds for name, kinds in _PART.items()},
    ("message", "attachments", 0, "contentDisposition"): _TEXT,
    ("message", "attachments", 0, "cid"): _TEXT,
    ("message", "attachments", 0, "headers", "X-Part"): _TEXTS,
    **{("message", "alternatives", 0, name): kinds for name, kinds in _PART.items()},
    **{
        ("message", "icalEvent", name): kinds
        for name, kinds in _PART.items()
        if name not in {"raw", "contentType"}
    },
}
#: What stands around a field, where it is not there yet.
_AROUND: dict[Path, Any] = {
    ("message", "attachments"): [{"filename": "a.txt", "content": "x"}],
    ("message", "alternatives"): [{"contentType": "text/x-fuzz", "content": "x"}],
    ("message", "icalEvent"): {"content": "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR"},
}


def put(document: dict[str, Any], path: Path, value: Any) -> None:
    """Set a field, with valid surroundings."""
    place: Any = document
    for depth, step in enumerate(path[:-1], start=1):
        around = copy.deepcopy(
            _AROUND.get(path[:depth], [] if isinstance(path[depth], int) else {})
        )
        if isinstance(step, str) and (step not in place or not _holds(place[step], path[depth])):
            place[step] = around
        place = place[step]
    last = path[-1]
    if isinstance(last, int):
        place[last:] = [value]
    else:
        place[last] = value


def _holds(value: Any, step: str | int) -> bool:
    return isinstance(value, list if isinstance(step, int) else dict)


def dotted(path: Path) -> str:
    """Write a path as errors name it."""
    return ".".join(str(step) for step in path)

"""Documents that fight back, between good ones, in bulk."""

from __future__ import annotations

import time
from typing import Any

import bson
from bson import Binary, DBRef, Decimal128, Int64, MaxKey, Regex, Timestamp

from tests.chaos.trial import Trial
from tests.support.application import mail


MAILS = 500
SETTINGS = {"SWEEP_SECONDS": "0.5", "WORKER_CONCURRENCY": "8"}


def _deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def _whole(**message: Any) -> dict[str, Any]:
    return {"subject": "Poison", "text": "Poison", **message}


#: Whatever is wrong, it is wrong in a field of its own, and `to` names the document.
POISON: list[dict[str, Any]] = [
    {},
    {"message": 5},
    {"message": []},
    {"message": _whole(subject=Regex("x"))},
    {"message": _whole(text=DBRef("a", 1))},
    {"message": _whole(html=MaxKey())},
    {"message": _whole(subject="x\r\nBcc: other@example.com")},
    {"message": _whole(subject=float("nan"))},
    {"message": _whole(attachments={"a": 1})},
    {"message": _whole(attachments=[_deep(80)])},
    {"message": _deep(90)},
    {"message": _whole(), "headers": {"Bcc": "other@example.com"}},
    {"message": _whole(), "headers": [["X", "y"]]},
    {"message": _whole(), "cc": Binary(b"\xff")},
    {"message": _whole(), "bcc": Decimal128("NaN")},
    {"message": _whole(), "replyTo": Int64(5)},
    {"message": _whole(), "sendAt": "soon"},
    {"message": _whole(), "priority": Timestamp(1, 1)},
    {"message": _whole(), "deliverBefore": bson.datetime_ms.DatetimeMS(-(2**62))},
    {"message": _whole(), "delivery": "PENDING"},
    {"message": _whole(), "delivery": [{"state": "PENDING"}]},
    {"message": _whole(), "delivery": {"state": ["PENDING"]}},
    {"message": _whole(), "delivery": {"state": "PENDING", "attempts": "three"}},
    {"message": _whole(), "delivery": {"state": "PENDING", "attempts": 2**62}},
]
ROUNDS = 10
NAMES_A_FIELD = (
    "^(message|headers|cc|bcc|replyTo|sendAt|priority|deliverBefore|delivery)[. ]"
    "|^the document is too large"
)


def test_poison_between_good_mails(trial: Trial) -> None:
    """Each poisonous document ends in ERROR that says why, each good one is sent once, no worker
    is hurt, and nobody waits for the others."""
    application = trial.application
    watcher, worker = application.watcher(**SETTINGS), application.worker(**SETTINGS)
    poison = [
        {**each, "to": f"poison{round_}.{number}@example.com"}
        for round_ in range(ROUNDS)
        for number, each in enumerate(POISON)
    ]
    good = [mail(number) for number in range(MAILS)]
    mixed = sorted(good + poison, key=lambda document: hash(document["to"]))
    started = time.monotonic()
    application.mails.insert_many(mixed)
    for number in range(2):
        application.mails.insert_one(_huge(f"huge{number}@example.com"))
    trial.wait_until_settled()
    trial.note("all settled", time.monotonic() - started, 20)

    assert watcher.returncode is worker.returncode is None
    books = trial.balance("poison between good mails", unsent=NAMES_A_FIELD)
    assert books.states == {"SUCCESS": MAILS, "ERROR": len(poison) + 2}


def _huge(to: str) -> dict[str, Any]:
    """Make a document that has no room for `delivery` below 16 MB."""
    document = {**mail(), "_id": to, "to": to, "filler": ""}
    document["filler"] = "x" * (16 * 1024 * 1024 - len(bson.encode(document)))
    return document

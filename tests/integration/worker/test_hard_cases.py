"""Mails that fight back, and servers that come and go."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bson
import pytest
from bson import Binary, Code, DBRef, Decimal128, Regex
from pymongo import MongoClient

from tasks.lanes import Lane
from tests.support.application import Application, eventually, mail
from tests.support.failpoint import failing
from tests.support.sink import Script, Sink, first


def test_an_attempt_ends_before_its_lease(application: Application, sink: Sink) -> None:
    """A server that never answers the final dot: ERROR within the lease, others are not held up."""
    sink.script = Script(after_data=first(1, "hang"))
    short = {"LEASE_SECONDS": "5", "SWEEP_SECONDS": "0.5"}
    application.watcher(**short)
    application.worker(**short)
    started = time.monotonic()
    [hanging] = application.insert(to="hanging@example.com")
    eventually("the server has the mail", lambda: sink.counts["DATA"], 5)
    [other] = application.insert()

    application.wait_for(other, "SUCCESS", seconds=3)
    delivery = application.wait_for(hanging, "ERROR", seconds=6)

    assert time.monotonic() - started < 5.5
    assert "Message processing lease expired." not in delivery["error"]
    assert delivery["info"]["pending"] == []


def test_high_priority_overtakes_a_backlog(application: Application, sink: Sink) -> None:
    """A password reset is not kept waiting by newsletters that a slow server takes slowly."""
    sink.script = Script(delay=0.02)
    few = {"WORKER_CONCURRENCY": "2"}
    application.watcher(**few)
    application.worker(**few)
    application.insert(600, priority="low")
    eventually("a backlog", lambda: application.queued(Lane.LOW) > 3)

    [reset] = application.insert(priority="high", to="reset@example.com")
    delivery = application.wait_for(reset, "SUCCESS", seconds=5)

    assert (delivery["endTime"] - delivery["startTime"]).total_seconds() < 2
    assert application.states().get("PENDING", 0) > 100


def _deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


POISON: list[dict[str, Any]] = [
    {},
    {"to": None, "message": None},
    {"to": 5, "message": 5},
    {"to": [[["a@example.com"]]], "message": {"subject": "x", "text": "x"}},
    {"to": "a@example.com"},
    {"to": "a@example.com", "message": {"subject": "x"}},
    {"to": "a@example.com", "message": {"subject": "x\r\nBcc: b@example.com", "text": "x"}},
    {"to": "a@example.com\r\nRCPT TO:<b@example.com>", "message": {"subject": "x", "text": "x"}},
    {"to": "a@example.com", "message": _deep(90)},
    {"to": Binary(b"\xff"), "message": {"subject": Regex("x"), "text": Code("x")}},
    {"to": Decimal128("NaN"), "message": {"subject": float("nan"), "html": bson.MaxKey()}},
    {"to": "a@example.com", "message": {"subject": "x", "text": DBRef("a", 1)}},
    {"to": "a@example.com", "message": {"subject": "x", "text": "x", "attachments": {"a": 1}}},
    {"to": "a@example.com", "headers": {"Bcc": "b@x"}, "message": {"subject": "x", "text": "x"}},
    {"to": "a@example.com", "sendAt": "soon", "message": {"subject": "x", "text": "x"}},
    {"to": "a@example.com", "priority": 5, "message": {"subject": "x", "text": "x"}},
    {"to": "a@example.com", "template": {"name": "x"}},
    {**mail(), "delivery": "PENDING"},
    {**mail(), "delivery": 5},
    {**mail(), "delivery": []},
    {**mail(), "delivery": [{"state": "PENDING"}]},
    {**mail(), "delivery": True},
    {**mail(), "delivery": {"state": "PENDING", "attempts": "three"}},
    {**mail(), "deliverBefore": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)},
]


@pytest.mark.parametrize("claim", ["each", "bulk"])
def test_every_wrong_document_ends_in_error_and_every_right_one_is_sent(
    application: Application, sink: Sink, claim: str
) -> None:
    """Poison between good mails: each is told what is wrong, and no worker is hurt."""
    application.watcher(CLAIM=claim)
    worker = application.worker(CLAIM=claim)
    good = [mail(number) for number in range(len(POISON))]
    pairs = zip(POISON, good, strict=True)
    application.mails.insert_many([dict(each) for pair in pairs for each in pair])

    application.wait_for_all("ERROR", len(POISON))
    application.wait_for_all("SUCCESS", len(good))

    assert worker.returncode is None
    errors = [
        each["delivery"]["error"] for each in application.mails.find({"delivery.state": "ERROR"})
    ]
    assert all(errors)
    assert not any("internal error" in error for error in errors)
    assert len(sink.messages) == len(good)


def test_a_document_of_16_mb_is_kept_and_explained(application: Application) -> None:
    """No room for `delivery`: the whole document is moved aside, an ERROR stands in its place."""
    document = {"_id": "huge", **mail(), "filler": ""}
    room = 16 * 1024 * 1024 - len(bson.encode(document))
    document["filler"] = "x" * room
    application.watcher()
    application.worker()

    application.mails.insert_one(document)
    [other] = application.insert()

    application.wait_for(other, "SUCCESS", seconds=5)
    error = application.wait_for("huge", "ERROR")["error"]
    moved = application.mails.database[f"{application.mails.name}.oversize"]
    assert "too large" in error
    assert moved.find_one({"_id": "huge"}) == document


@contextmanager
def _failing(client: MongoClient[dict[str, Any]], times: int, *commands: str) -> Iterator[None]:
    """Let mongod close the connection instead of doing what it is asked, so many times."""
    point = {"configureFailPoint": "failCommand", "mode": {"times": times}}
    data = {"failCommands": list(commands), "closeConnection": True}
    client.admin.command({**point, "data": data})
    try:
        yield
    finally:
        client.admin.command("configureFailPoint", "failCommand", mode="off")


def test_broken_connections_to_mongodb_neither_lose_nor_double_a_mail(
    application: Application, sink: Sink, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """Claims, marks and results that fail on the way are tried again, each to one effect."""
    application.watcher(SWEEP_SECONDS="0.5")
    application.worker(WORKER_CONCURRENCY="4")

    with _failing(mongo_client, 12, "findAndModify", "update"):
        application.insert(200)
        application.wait_for_all("SUCCESS", 200, seconds=40)

    assert _twice(sink) == {}


def _twice(sink: Sink) -> dict[str, int]:
    counts = Counter(message.recipients[0] for message in sink.messages)
    return {recipient: count for recipient, count in counts.items() if count > 1}


def test_a_claim_that_comes_too_late_is_given_back(
    application: Application, sink: Sink, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """MongoDB took longer to claim than the lease lasts: no error, another claim sends the mail."""
    variables = {"LEASE_SECONDS": "5", "SWEEP_SECONDS": "60"}
    application.watcher(**variables)
    application.worker(**variables)
    slow: dict[str, Any] = {"blockConnection": True, "blockTimeMS": 6_000}

    with failing(mongo_client, "findAndModify", appName="mailtrigger-worker", **slow):
        [id] = application.insert()
        application.wait_for(id, "SUCCESS", "ERROR", seconds=30)

    assert application.delivery(id)["state"] == "SUCCESS"
    assert len(sink.messages) == 1

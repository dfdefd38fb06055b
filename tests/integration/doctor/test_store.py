"""What doctor asks MongoDB: indexes, leader, stream, oplog, clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from config import mongo
from config.checks import Finding, Level
from config.settings import Settings
from tasks.delivery import indexes
from tasks.doctor import store


Store = Database[dict[str, Any]]


def found(settings: Settings) -> dict[str, list[Finding]]:
    """Give the findings by subject."""
    by_subject: dict[str, list[Finding]] = {}
    for each in store.check(settings):
        by_subject.setdefault(each.subject, []).append(each)
    return by_subject


def lead(database: Store, token_age: timedelta, **fields: Any) -> None:
    """Write the record of a leader whose stream is so far behind."""
    seconds = int((datetime.now(UTC) - token_age).timestamp())
    record = {
        "owner": "host:1:abc",
        "expireTime": datetime.now(UTC) + timedelta(seconds=8),
        "token": {"_data": f"82{seconds:08X}000000012B0229296E04"},
        **fields,
    }
    database["mail.watcher"].replace_one({"_id": "leader"}, record, upsert=True)


def test_before_anything_was_set_up(settings: Settings) -> None:
    """Each thing that is missing is named, with the command that makes it."""
    by_subject = found(settings)

    [indexes_] = by_subject["Indexes"]
    assert (indexes_.level, indexes_.advice) == (Level.FAILED, "run python -m tasks setup")
    [watcher] = by_subject["Watcher"]
    assert (watcher.level, watcher.text) == (Level.FAILED, "none leads")
    assert by_subject["Clocks"][0].level is Level.OK


def test_all_is_well(
    settings: Settings, database: Store, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """Indexes there, a leader, its stream close behind, its place in the oplog.

    Other tests fill the oplog; then it reaches back for minutes only, which is a warning.
    """
    indexes.ensure(mongo.mail_collection(mongo_client, settings))
    lead(database, timedelta())

    by_subject = found(settings)

    assert set(by_subject) == {"Indexes", "Watcher", "Oplog", "Clocks"}
    [oplog] = by_subject.pop("Oplog")
    assert oplog.text.startswith("reaches back")
    assert "lost" not in oplog.text
    assert {each.level for findings in by_subject.values() for each in findings} == {Level.OK}


@pytest.mark.parametrize(
    ("fields", "level", "text"),
    [
        ({"owner": None}, Level.FAILED, "none leads"),
        ({"expireTime": datetime(2020, 1, 1, tzinfo=UTC)}, Level.FAILED, "none leads"),
        ({"token": None}, Level.UNKNOWN, "not saved"),
        ({"token": {"_data": "a form of later versions"}}, Level.UNKNOWN, "not saved"),
    ],
)
def test_leaders(
    settings: Settings, database: Store, fields: dict[str, Any], level: Level, text: str
) -> None:
    """One that has gone does not lead; a place that cannot be read is no failure."""
    lead(database, timedelta(), **fields)

    last = found(settings)["Watcher"][-1]

    assert last.level is level
    assert text in last.text


def test_a_stream_far_behind_whose_place_is_lost(settings: Settings, database: Store) -> None:
    """A warning each: mails are late, and found by the index."""
    lead(database, timedelta(days=400))

    by_subject = found(settings)

    assert by_subject["Watcher"][-1].level is Level.WARNING
    assert by_subject["Oplog"][0].level is Level.WARNING
    assert "the stream's place is lost" in by_subject["Oplog"][0].text


def test_clocks_that_differ_are_a_warning() -> None:
    """Two seconds are let pass."""
    now = datetime.now(UTC)

    assert store.clock("Redis", now - timedelta(seconds=1)).level is Level.OK
    assert store.clock("Redis", now + timedelta(seconds=9)).level is Level.WARNING

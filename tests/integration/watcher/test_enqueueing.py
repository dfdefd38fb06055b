"""From an insert to a message; no worker runs, so the queues keep it all."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import bson
import pytest

from tasks.lanes import Lane
from tests.support.application import Application, eventually
from tests.support.queue_messages import (
    doubles,
    ids,
    messages,
    wait_for_everything_before_now,
    wait_until_queued,
)


def test_a_new_mail_becomes_pending_and_is_enqueued(watched: Application) -> None:
    """An insert without delivery gets the fields of a waiting mail, and one message."""
    [id] = watched.insert()

    wait_until_queued(watched, id)

    delivery = watched.delivery(id)
    assert delivery["state"] == "PENDING"
    assert delivery["attempts"] == 0
    assert delivery["error"] is None
    assert delivery["leaseExpireTime"] is None
    assert delivery["startTime"] == delivery["enqueueTime"]


def test_each_priority_has_its_lane(watched: Application) -> None:
    """Anything but high and low is normal."""
    lanes = {"high": Lane.HIGH, "low": Lane.LOW, "normal": Lane.NORMAL, "urgent": Lane.NORMAL}
    expected = {watched.insert(priority=name)[0]: lane for name, lane in lanes.items()}

    wait_until_queued(watched, *expected)

    for id, lane in expected.items():
        assert id in ids(watched, lane)


def test_a_document_of_16_mb_is_moved_aside(watched: Application) -> None:
    """The largest document MongoDB takes: an ERROR in its place; its neighbours are enqueued."""
    document: dict[str, Any] = {"_id": "largest", "fill": b""}
    document["fill"] = bytes(16 * 1024 * 1024 - len(bson.encode(document)))

    [before] = watched.insert()
    watched.mails.insert_one(document)
    [after] = watched.insert()

    wait_until_queued(watched, before, after)
    assert "too large" in watched.wait_for("largest", "ERROR")["error"]
    aside = watched.mails.database[f"{watched.mails.name}.oversize"]
    assert aside.find_one({"_id": "largest"}) == document


def test_a_burst_is_enqueued_once_in_large_batches(application: Application) -> None:
    """5,000 mails: every id once, BATCH_SIZE in most messages, none larger."""
    application.watcher()
    inserted = application.insert(5000)

    eventually("all enqueued", lambda: len(ids(application)) >= 5000, 20)

    found = ids(application)
    assert doubles(found) == []
    assert set(found) == set(inserted)
    sizes = Counter(len(message) for message in messages(application, Lane.NORMAL))
    assert max(sizes) == 50
    assert sizes[50] * 50 >= 2500
    assert application.states() == {"PENDING": 5000}


def test_mails_inserted_while_no_watcher_ran_are_found(application: Application) -> None:
    """Without a resume token, whatever waits already is brought in, by lane."""
    waiting = application.insert(30)
    waiting += application.insert(delivery={"state": "RETRY"})
    waiting += application.insert(delivery={"state": "PENDING"}, priority="high")
    waiting += application.insert(delivery={"note": "no state"})
    application.insert(delivery={"state": "DRAFT"})
    wrong = application.insert(delivery="text")[0]

    application.watcher()

    wait_until_queued(application, *waiting)
    application.wait_for(wrong, "ERROR")
    assert sorted(ids(application)) == sorted(waiting)


def test_a_mail_that_is_due_is_found_after_a_restart(application: Application) -> None:
    """nextAttemptTime passed while no watcher ran."""
    [id] = application.insert(delivery={"state": "PENDING"})
    changes = {"delivery.nextAttemptTime": id.generation_time - timedelta(hours=1)}
    application.mails.update_one({"_id": id}, {"$set": changes})

    application.watcher()

    wait_until_queued(application, id)


@pytest.mark.parametrize("unit", ["hour", "never"])
def test_the_time_to_live_is_the_settings(application: Application, unit: str) -> None:
    """TTL_EXPIRE_TYPE never: no expireAt."""
    application.watcher(TTL_EXPIRE_TYPE=unit, TTL_EXPIRE_VALUE="2")
    [id] = application.insert()

    delivery = application.wait_for(id, "PENDING")

    life = delivery.get("expireAt", delivery["startTime"]) - delivery["startTime"]
    assert life == (timedelta(hours=2) if unit == "hour" else timedelta())
    wait_for_everything_before_now(application)

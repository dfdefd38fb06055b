"""Which changes of a document ask for a mail, and which do not; one watcher for all tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import DBRef

from config import mongo
from tasks.clock import ServerClock
from tasks.delivery.claim import Claims
from tasks.delivery.results import Result
from tasks.delivery.returns import Returns, Waiting
from tasks.delivery.states import State
from tasks.delivery.writer import ResultWriter
from tests.support.application import Application, eventually, mail
from tests.support.deliveries import must_claim
from tests.support.queue_messages import (
    count,
    wait_for_everything_before_now,
    wait_until_queued,
)


OLD = datetime(2026, 1, 1, tzinfo=UTC)


def finished(application: Application, state: str = "SUCCESS", **fields: Any) -> Any:
    """Insert a mail that is done, as a worker leaves it."""
    delivery = {
        "state": state,
        "startTime": OLD,
        "endTime": OLD,
        "error": None,
        "attempts": 1,
        "leaseExpireTime": None,
        "info": {"accepted": ["a@example.com"]},
        "enqueueTime": OLD,
        "worker": "worker:1",
    }
    [id] = application.insert(delivery=delivery, **fields)
    return id


ASKING: dict[str, Any] = {
    "RETRY by a dotted $set": {"$set": {"delivery.state": "RETRY"}},
    "PENDING by a dotted $set": {"$set": {"delivery.state": "PENDING"}},
    "with another field": {"$set": {"delivery.state": "RETRY", "message.subject": "x"}},
    "a new subdocument": {"$set": {"delivery": {"state": "RETRY"}}},
    "a subdocument without state": {"$set": {"delivery": {"note": 1}}},
    "an empty subdocument": {"$set": {"delivery": {}}},
    "delivery removed": {"$unset": {"delivery": ""}},
    "delivery renamed": {"$rename": {"delivery": "old"}},
    "delivery null": {"$set": {"delivery": None}},
    "state removed": {"$unset": {"delivery.state": ""}},
    "state null": {"$set": {"delivery.state": None}},
    "a pipeline": [{"$set": {"delivery.state": "RETRY"}}],
    "a pipeline that removes": [{"$unset": "delivery"}],
}


@pytest.mark.parametrize("state", ["SUCCESS", "ERROR", "DRAFT"])
@pytest.mark.parametrize("change", ASKING)
def test_a_user_asks_for_a_mail_again(watched: Application, state: str, change: str) -> None:
    """However it is written: enqueued once, as a waiting mail."""
    id = finished(watched, state)

    watched.mails.update_one({"_id": id}, ASKING[change])

    wait_until_queued(watched, id)
    assert watched.delivery(id)["state"] in {"PENDING", "RETRY"}
    assert count(watched, id) == 1


def test_a_subdocument_read_and_written_back(watched: Application) -> None:
    """Clients that change the object they have read send all its fields, enqueueTime too."""
    id = finished(watched)
    delivery = {**watched.delivery(id), "state": "RETRY"}

    watched.mails.update_one({"_id": id}, {"$set": {"delivery": delivery}})

    wait_until_queued(watched, id)


@pytest.mark.parametrize("delivery", [..., {"state": "PENDING"}], ids=repr)
def test_a_replaced_document(watched: Application, delivery: Any) -> None:
    """replace_one with a document that waits."""
    id = finished(watched)
    new = mail() if delivery is ... else mail(delivery=delivery)

    watched.mails.replace_one({"_id": id}, new)

    wait_until_queued(watched, id)


def test_a_pipeline_on_a_large_document(watched: Application) -> None:
    """It arrives as an update, not as a replace."""
    id = finished(watched, fill="x" * 100_000)

    watched.mails.update_one({"_id": id}, [{"$set": {"delivery.state": "RETRY"}}])

    wait_until_queued(watched, id)


def test_retry_keeps_the_fields(watched: Application) -> None:
    """RETRY written by a user: enqueued, fields as they are."""
    id = finished(watched)
    before = watched.delivery(id)

    watched.mails.update_one({"_id": id}, {"$set": {"delivery.state": "RETRY"}})
    wait_until_queued(watched, id)

    after = watched.delivery(id)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"state", "enqueueTime"}


OTHER: dict[str, Any] = {
    "another field": {"$set": {"message.subject": "new"}},
    "a field of delivery": {"$set": {"delivery.info.note": "seen"}},
    "another delivery, done": {"$set": {"delivery": {"state": "SUCCESS"}}},
    "cancelled": {"$set": {"delivery.state": "CANCELLED"}},
    "draft": {"$set": {"delivery": {"state": "DRAFT"}}},
    "sendAt": {"$set": {"sendAt": OLD}},
    "sendAt to come": {"$set": {"sendAt": datetime(2999, 1, 1, tzinfo=UTC)}},
    "priority": {"$set": {"priority": "high"}},
    "a pipeline": [{"$set": {"seen": True}}],
}


@pytest.mark.parametrize("change", OTHER)
def test_other_edits_of_a_finished_mail_do_nothing(watched: Application, change: str) -> None:
    """Nothing is enqueued, nothing is written."""
    id = finished(watched)
    watched.mails.update_one({"_id": id}, OTHER[change])
    before = watched.mails.find_one({"_id": id})

    wait_for_everything_before_now(watched)

    assert count(watched, id) == 0
    assert watched.mails.find_one({"_id": id}) == before


@pytest.mark.parametrize("state", ["DRAFT", "CANCELLED", "SUCCESS", "ERROR", "PROCESSING", 5])
def test_inserted_in_a_state_of_its_own(watched: Application, state: Any) -> None:
    """A held-back draft, an imported archive: left alone."""
    lease = datetime.now(UTC) + timedelta(hours=1)
    [id] = watched.insert(delivery={"state": state, "leaseExpireTime": lease})

    wait_for_everything_before_now(watched)

    assert count(watched, id) == 0
    assert watched.delivery(id)["state"] == state


WRONG = [
    "text",
    5,
    True,
    DBRef("x", 1),
    [],
    ["x"],
    [{}],
    [{"state": "PENDING"}],
    [{"state": "SUCCESS"}],
]


@pytest.mark.parametrize("delivery", WRONG, ids=repr)
@pytest.mark.parametrize("how", ["inserted", "set", "replaced"])
def test_a_delivery_that_is_no_map_is_an_error(
    watched: Application, delivery: Any, how: str
) -> None:
    """ERROR that names field and type; nothing is enqueued."""
    if how == "inserted":
        [id] = watched.insert(delivery=delivery)
    else:
        id = finished(watched)
        if how == "set":
            watched.mails.update_one({"_id": id}, {"$set": {"delivery": delivery}})
        else:
            watched.mails.replace_one({"_id": id}, mail(delivery=delivery))

    def error() -> Any:
        found = (watched.mails.find_one({"_id": id}) or {})["delivery"]
        return isinstance(found, dict) and found.get("error")

    assert eventually("ERROR", error).startswith("delivery must be a map, not a ")
    assert count(watched, id) == 0


def test_own_writes_ask_for_nothing(watched: Application) -> None:
    """Claim, point of no return, giving back, stamp, result: no message beyond the first."""
    [finished_id, released_id, postponed_id] = watched.insert(3)
    wait_until_queued(watched, finished_id, released_id, postponed_id)
    with mongo.connect(watched.settings, role="worker", retry_writes=False) as client:
        mails = mongo.mail_collection(client, watched.settings)
        now = ServerClock(client)
        claims, returns = Claims(mails, now, 60), Returns(mails, now)
        claim = must_claim(claims, finished_id)
        released = must_claim(claims, released_id)
        claims.begin_sending([claim, released])
        returns.postpone([Waiting(must_claim(claims, postponed_id), 600, "a limit")])
        returns.release([released], enqueue_time=now())
        returns.stamp([released_id], now())
        assert ResultWriter(mails, now, None).put(Result(claim, State.SUCCESS)).wait(10)

    wait_for_everything_before_now(watched)

    assert count(watched, finished_id) == 1
    assert count(watched, released_id) == 1
    assert count(watched, postponed_id) == 1


def test_insert_and_update_at_once_are_enqueued_at_most_twice(watched: Application) -> None:
    """Once when both are seen in one step; never missed."""
    ids = watched.insert(20)
    for id in ids:
        watched.mails.update_one({"_id": id}, {"$set": {"sendAt": OLD}})

    wait_until_queued(watched, *ids)
    wait_for_everything_before_now(watched)

    assert all(1 <= count(watched, id) <= 2 for id in ids)

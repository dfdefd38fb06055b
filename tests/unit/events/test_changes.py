"""Which change is which event, and what stands in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from bson.objectid import ObjectId

from config.events import TYPES
from tasks.delivery import states
from watcher.events.changes import PREFIX, of_change, of_ended


NOW = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
ID = ObjectId("66f0a1b2c3d4e5f60718293a")
SOURCE = "/mailtrigger/shop/mail"


def _update(**changed: Any) -> dict[str, Any]:
    pairs = [{"k": name.replace("__", "."), "v": value} for name, value in changed.items()]
    return _change("update", changed=pairs)


def _change(kind: str, **fields: Any) -> dict[str, Any]:
    return {"_id": {"_data": "8266"}, "operationType": kind, "wallTime": NOW, "id": ID, **fields}


def _types(change: dict[str, Any], wanted: tuple[str, ...] = TYPES) -> list[str]:
    return [each["type"].removeprefix(PREFIX) for each in of_change(change, SOURCE, wanted)]


PENDING = states.pending(NOW, None, enqueued=True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_update(delivery=PENDING), ["onStart", "onPending"]),
        (_change("insert", delivery={"state": "PENDING"}), ["onStart", "onPending"]),
        (_change("insert", delivery={"state": "RETRY"}), ["onRetry"]),
        (_update(delivery__state="PROCESSING", delivery__attempts=1), ["onProcessing"]),
        (_update(delivery__state="PENDING", delivery__waitsFor="x"), ["onPending"]),
        (_update(delivery__state="PENDING", delivery__retries=1), ["onRetry"]),
        (_update(delivery__state="PENDING", delivery__throttled=1), ["onRetry"]),
        (_update(delivery__state="RETRY"), ["onRetry"]),
        (_update(delivery__state="SUCCESS"), ["onSuccess", "onComplete"]),
        (_update(delivery__state="ERROR"), ["onError", "onComplete"]),
        (_update(delivery={"state": "ERROR"}), ["onError", "onComplete"]),
        (
            _change("replace", delivery={"state": "ERROR"}, movedTo="mail.oversize"),
            ["onError", "onComplete"],
        ),
    ],
)
def test_every_state_has_its_events(change: dict[str, Any], expected: list[str]) -> None:
    """In the order in which they are told."""
    assert _types(change) == expected


@pytest.mark.parametrize(
    "change",
    [
        _update(delivery__state="DRAFT"),
        _update(delivery__info={"accepted": []}),
        _update(delivery="broken"),
        _update(delivery__state=["PENDING"]),
        _change("insert", delivery={"state": "SUCCESS"}),
        _change("replace", delivery={"state": "SUCCESS"}),
        {"_id": {"_data": "82"}, "operationType": "invalidate"},
    ],
)
def test_what_is_no_step_of_a_mail_is_no_event(change: dict[str, Any]) -> None:
    """States of the users' own, broken values, and copies of mails that are done."""
    assert _types(change) == []


def test_only_the_types_that_are_wanted() -> None:
    """EVENTS_TYPES."""
    assert _types(_update(delivery__state="SUCCESS"), ("onSuccess",)) == ["onSuccess"]


def test_the_event_says_what_the_change_says() -> None:
    """As CloudEvents 1.0 has it, in plain JSON, without what is between the workers."""
    change = _update(
        delivery__state="SUCCESS",
        delivery__endTime=NOW,
        delivery__worker="host:1:abc",
        delivery__info={"accepted": ["a@example.com"], "duplicateOf": ID},
    )

    event, _ = of_change(change, SOURCE, TYPES)

    assert event.pop("id").isalnum()
    assert event == {
        "specversion": "1.0",
        "source": SOURCE,
        "type": f"{PREFIX}onSuccess",
        "subject": str(ID),
        "time": "2026-01-02T03:04:05.678Z",
        "datacontenttype": "application/json",
        "data": {
            "id": {"$oid": str(ID)},
            "delivery": {
                "state": "SUCCESS",
                "endTime": "2026-01-02T03:04:05.678Z",
                "info": {"accepted": ["a@example.com"], "duplicateOf": {"$oid": str(ID)}},
            },
        },
    }


def test_the_same_change_has_the_same_ids() -> None:
    """So a receiver may drop what comes twice; and no two events of a change share one."""
    change = _update(delivery__state="SUCCESS")
    first = [each["id"] for each in of_change(change, SOURCE, TYPES)]

    assert first == [each["id"] for each in of_change(change, SOURCE, TYPES)]
    assert len(set(first)) == 2
    other = {**change, "_id": {"_data": "8267"}}
    assert set(first).isdisjoint(each["id"] for each in of_change(other, SOURCE, TYPES))


@pytest.mark.parametrize(
    ("id", "subject", "wired"),
    [("order-7", "order-7", "order-7"), (7, '{"$numberInt":"7"}', {"$numberInt": "7"})],
)
def test_ids_of_any_type(id: Any, subject: str, wired: Any) -> None:
    """`data.id` tells them apart, `subject` is text."""
    event, _ = of_change({**_update(delivery__state="ERROR"), "id": id}, SOURCE, TYPES)

    assert event["subject"] == subject
    assert event["data"]["id"] == wired


def test_a_mail_that_was_missed_tells_its_end() -> None:
    """With the same id each time it is told."""
    document = {"_id": ID, "delivery": {"state": "SUCCESS", "endTime": NOW}}

    first, second = (of_ended(document, SOURCE, TYPES) for _ in range(2))

    assert [each["type"].removeprefix(PREFIX) for each in first] == ["onSuccess", "onComplete"]
    assert first == second

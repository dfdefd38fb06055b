"""Who may send for an idempotencyKey."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo.collection import Collection

from tasks.delivery.keys import WINDOW, Fate, Holder, Keys
from tests.support.clock import SetClock


Mails = Collection[dict[str, Any]]


@pytest.fixture
def keys(mails: Mails, clock: SetClock) -> Keys:
    """Of the test's collection."""
    return Keys(mails, clock)


def _insert(mails: Mails, id: Any, **delivery: Any) -> Any:
    mails.insert_one({"_id": id, "delivery": delivery})
    return id


def _must_hold(holder: Holder | None) -> Holder:
    assert holder is not None
    return holder


@pytest.mark.parametrize(
    "id",
    [1, "1", ObjectId("6b07238cebe4b09e0c6ba43f"), {"a": 1}, {"$gt": ""}, None, [1, 2]],
    ids=repr,
)
def test_the_first_holds_it_again_and_again(keys: Keys, id: Any) -> None:
    """A worker that died after taking the key takes it once more, whatever type its _id has."""
    assert keys.take("invoice-1", id) is None
    assert keys.take("invoice-1", id) is None


def test_types_of_ids_are_kept_apart(mails: Mails, keys: Keys) -> None:
    """1 and "1" are two mails."""
    _insert(mails, 1, state="PROCESSING")
    assert keys.take("k", 1) is None

    assert _must_hold(keys.take("k", "1")).id == 1


@pytest.mark.parametrize(
    ("delivery", "fate"),
    [
        ({}, Fate.OPEN),
        ({"state": "PENDING"}, Fate.OPEN),
        ({"state": "RETRY"}, Fate.OPEN),
        ({"state": "PROCESSING"}, Fate.OPEN),
        ({"state": "SUCCESS"}, Fate.SENT),
        ({"state": "ERROR", "inDoubt": True}, Fate.IN_DOUBT),
        ({"state": "ERROR", "info": {"accepted": ["a@example.com"]}}, Fate.SENT),
    ],
    ids=repr,
)
def test_another_learns_what_became_of_the_first(
    mails: Mails, keys: Keys, delivery: dict[str, Any], fate: Fate
) -> None:
    """It is not sent as long as the first was, is, or may have been."""
    keys.take("k", _insert(mails, "first", **delivery))

    holder = _must_hold(keys.take("k", "second"))

    assert (holder.id, holder.fate) == ("first", fate)


@pytest.mark.parametrize(
    "delivery",
    [
        {"state": "ERROR"},
        {"state": "ERROR", "info": {"accepted": []}},
        {"state": "CANCELLED"},
        {"state": "DRAFT"},
    ],
    ids=repr,
)
def test_a_key_of_which_certainly_nothing_was_sent_goes_to_the_next(
    mails: Mails, keys: Keys, delivery: dict[str, Any]
) -> None:
    """A failed mail must not swallow the one that replaces it."""
    keys.take("k", _insert(mails, "first", **delivery))
    _insert(mails, "second", state="PROCESSING")

    assert keys.take("k", "second") is None
    assert _must_hold(keys.take("k", "first")).id == "second"


def test_a_deleted_document_keeps_its_key(keys: Keys) -> None:
    """Nobody can tell any more whether it was sent: nothing twice."""
    keys.take("k", "gone")

    assert _must_hold(keys.take("k", "second")).fate is Fate.SENT


def test_after_a_day_the_key_is_free(mails: Mails, keys: Keys, clock: SetClock) -> None:
    """Also while MongoDB has not yet removed its record."""
    keys.take("k", _insert(mails, "first", state="SUCCESS"))
    clock.advance(WINDOW.total_seconds() - 1)
    assert _must_hold(keys.take("k", "second")).age == WINDOW - timedelta(seconds=1)

    clock.advance(1)

    assert keys.take("k", "second") is None


def test_mongodb_removes_old_keys(mails: Mails) -> None:
    """By a TTL index, so that they do not pile up."""
    indexes = mails.database[f"{mails.name}.keys"].index_information()

    assert any(index.get("expireAfterSeconds") == 0 for index in indexes.values())


def test_of_fifty_at_once_one_gets_it(mails: Mails, keys: Keys) -> None:
    """Fifty threads, new key and freed key: each time exactly one may send."""
    for key, expected in (("new", 1), ("freed", 1)):
        if key == "freed":
            keys.take(key, _insert(mails, "failed", state="ERROR"))
        for number in range(50):
            _insert(mails, f"{key}{number}", state="PROCESSING")
        won = _take_all(keys, key)

        assert len(won) == expected


def _take_all(keys: Keys, key: str) -> list[str]:
    won: list[str] = []
    start = threading.Barrier(50)

    def take(id: str) -> None:
        start.wait()
        if keys.take(key, id) is None:
            won.append(id)

    threads = [threading.Thread(target=take, args=(f"{key}{number}",)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won

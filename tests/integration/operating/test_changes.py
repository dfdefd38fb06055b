"""Retry, resend, cancel, purge: each writes what it may, where it may, and says how much."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import bson
import pytest
from pymongo.collection import Collection

from tasks.delivery import states
from tasks.operating import changes
from tasks.operating.changes import Changed
from tasks.operating.filters import Filter
from tests.support.histories import NOON, past


Mails = Collection[dict[str, Any]]

#: MongoDB's limit for a document, in bytes.
LARGEST = 16 * 1024 * 1024

#: Every state, by the `_id` of a mail in it.
EVERY = ("SUCCESS", "ERROR", "PENDING", "RETRY", "PROCESSING", "CANCELLED", "DRAFT", "held back")
NO_STATE: dict[str, Any] = {"new": {}, "null": {"delivery": None}, "bare": {"delivery": {}}}


@pytest.fixture
def one_of_each(mails: Mails) -> Mails:
    """A mail in every state, and some that the watcher has not seen."""
    mails.insert_many([past(n, state) | {"_id": state} for n, state in enumerate(EVERY)])
    mails.insert_many([{"_id": id, **fields} for id, fields in NO_STATE.items()])
    return mails


def changed_in(mails: Mails) -> dict[Any, Any]:
    """Tell which mails have another state than their `_id` says."""
    now = {each["_id"]: (each.get("delivery") or {}).get("state") for each in mails.find()}
    return {id: state for id, state in now.items() if state != (id if id in EVERY else None)}


ALL_IDS = [*EVERY, *NO_STATE, "no such mail"]


def test_retry_is_for_what_failed_or_was_stopped(one_of_each: Mails) -> None:
    """Named by their ids; the others are left alone, and the count says so."""
    assert changes.retry(one_of_each, ALL_IDS) == Changed(looked_at=12, changed=2)

    assert changed_in(one_of_each) == {"ERROR": "RETRY", "CANCELLED": "RETRY"}


def test_resend_is_for_what_went_out(one_of_each: Mails) -> None:
    """SUCCESS becomes RETRY."""
    assert changes.resend(one_of_each, ALL_IDS).changed == 1

    assert changed_in(one_of_each) == {"SUCCESS": "RETRY"}


def test_cancel_is_for_what_waits(one_of_each: Mails) -> None:
    """What a worker has in hand goes on; nothing but the state is written."""
    before = one_of_each.find_one({"_id": "PENDING"}) or {}

    assert changes.cancel(one_of_each, ALL_IDS).changed == 5

    waiting = ("PENDING", "RETRY", *NO_STATE)
    assert changed_in(one_of_each) == dict.fromkeys(waiting, "CANCELLED")
    after = one_of_each.find_one({"_id": "PENDING"}) or {}
    assert after["delivery"] == {**before["delivery"], "state": "CANCELLED"}
    assert (one_of_each.find_one({"_id": "new"}) or {})["delivery"] == {"state": "CANCELLED"}


@pytest.mark.parametrize(
    ("change", "named", "result"),
    [
        (changes.retry, (), {"ERROR": "RETRY"}),
        (changes.retry, ("CANCELLED", "SUCCESS"), {"CANCELLED": "RETRY"}),
        (changes.retry, ("SUCCESS",), {}),
        (changes.resend, (), {"SUCCESS": "RETRY"}),
        (changes.cancel, ("RETRY",), {"RETRY": "CANCELLED"}),
        (changes.cancel, ("PROCESSING",), {}),
    ],
)
def test_a_filter_reaches_its_own_states_only(
    one_of_each: Mails, change: Any, named: tuple[str, ...], result: dict[str, str]
) -> None:
    """Stopped mails are not sent by a filter that does not name their state."""
    assert change(one_of_each, Filter(states=named)).changed == len(result)

    assert changed_in(one_of_each) == result


IN_DOUBT: list[dict[str, Any]] = [
    {"inDoubt": True},
    {"error": states.LEASE_EXPIRED},
    {"info": {"accepted": ["a@example.com"], "rejected": ["b@example.com"]}},
]


@pytest.mark.parametrize("delivery", IN_DOUBT)
def test_a_mail_that_somebody_may_have_is_sent_again_only_when_asked_for(
    mails: Mails, delivery: dict[str, Any]
) -> None:
    """In doubt, ended with its lease, or accepted by some: it could be doubled."""
    mails.insert_many([past(1, "ERROR", **delivery), past(2, "ERROR", info={"accepted": []})])

    assert changes.retry(mails, [1, 2]).changed == 1
    assert changes.retry(mails, Filter()).changed == 0
    assert changes.retry(mails, [1], in_doubt=True).changed == 1


def test_what_changed_since_it_was_found_is_left_alone(mails: Mails) -> None:
    """The condition is the write's own; progress is told after each chunk."""
    mails.insert_many([past(number, "ERROR") for number in range(1200)])
    told: list[tuple[int, int]] = []

    def meanwhile(looked_at: int, changed: int) -> None:
        if not told:
            mails.update_one({"_id": 1100}, {"$set": {"delivery.state": "SUCCESS"}})
        told.append((looked_at, changed))

    done = changes.retry(mails, Filter(), progress=meanwhile)

    assert done == Changed(looked_at=1199, changed=1199)
    assert told == [(500, 500), (1000, 1000), (1199, 1199)]
    assert mails.count_documents({"delivery.state": "RETRY"}) == 1199


def test_one_document_that_refuses_spares_the_others(mails: Mails) -> None:
    """No room for a longer state below 16 MB, say."""
    full = past(0, "PENDING")
    full["message"]["text"] += "x" * (LARGEST - len(bson.encode(full)))
    mails.insert_many([full, *(past(number, "PENDING") for number in range(1, 5))])

    assert changes.cancel(mails, Filter()) == Changed(looked_at=5, changed=4)

    assert mails.distinct("_id", {"delivery.state": "CANCELLED"}) == [1, 2, 3, 4]


def test_purge_removes_what_ended_before(one_of_each: Mails) -> None:
    """SUCCESS and ERROR that are old enough; never what waits, is in work, or is the users' own."""
    one_of_each.insert_one(past(-86_400))
    now = NOON + timedelta(days=2)

    before = NOON + timedelta(hours=1)
    assert str(changes.purgeable(one_of_each, before)) == "2"
    assert changes.purge(one_of_each, before, now).changed == 2

    left = {each["_id"] for each in one_of_each.find()}
    assert left == {*EVERY, *NO_STATE, -86_400} - {"SUCCESS", "ERROR"}


def test_purge_keeps_what_an_idempotency_key_needs(mails: Mails) -> None:
    """A holder that is gone counts as sent: within 24 hours that would swallow a corrected mail."""
    with pytest.raises(ValueError, match="24 hours"):
        changes.purge(mails, NOON, NOON + timedelta(hours=23))

"""Retry, resend, cancel over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.support.console import Browser
from tests.support.histories import past


Mails = Collection[dict[str, Any]]


def states(mails: Mails) -> dict[Any, str]:
    return {
        each["_id"]: each["delivery"]["state"] for each in mails.find({}, {"delivery.state": 1})
    }


@pytest.fixture
def some(mails: Mails) -> Mails:
    """A mail in each state, and one in doubt."""
    every = ("SUCCESS", "ERROR", "PENDING", "PROCESSING", "CANCELLED", "DRAFT")
    mails.insert_many([past(number, state) for number, state in enumerate(every)])
    mails.insert_one(past(9, "ERROR", inDoubt=True))
    return mails


@pytest.mark.parametrize(
    ("kind", "id", "state"),
    [
        ("retry", 1, "RETRY"),
        ("retry", 4, "RETRY"),
        ("resend", 0, "RETRY"),
        ("cancel", 2, "CANCELLED"),
    ],
)
def test_one_mail(browser: Browser, some: Mails, kind: str, id: int, state: str) -> None:
    """It is changed, and no other."""
    before = states(some)

    lines = browser.change(kind=kind, id=str(id))

    assert lines[-1] == {"lookedAt": 1, "changed": 1, "done": True, "error": None}
    assert states(some) == {**before, id: state}


@pytest.mark.parametrize(
    ("kind", "id"), [("retry", 0), ("retry", 3), ("retry", 9), ("resend", 1), ("cancel", 3)]
)
def test_a_mail_in_no_state_for_it(browser: Browser, some: Mails, kind: str, id: int) -> None:
    """What goes on meanwhile, or is in doubt, is left alone."""
    before = states(some)

    assert browser.change(kind=kind, id=str(id))[-1]["changed"] == 0
    assert states(some) == before


def test_in_doubt_by_an_explicit_wish(browser: Browser, some: Mails) -> None:
    """Only when it is said that mails in doubt are meant, too."""
    assert browser.change(kind="retry", id="9", inDoubt=True)[-1]["changed"] == 1
    assert states(some)[9] == "RETRY"


def test_by_filter(browser: Browser, some: Mails) -> None:
    """As many as were counted, with those in doubt apart."""
    some.insert_many([past(number, "ERROR") for number in range(20, 1300)])
    counted = browser.get("/api/changes", kind="retry", recipient="recipient").json
    assert (counted["certain"]["text"], counted["inDoubt"]["text"]) == ("1,281", "1")

    lines = browser.change(kind="retry", filter={"recipient": "recipient"})

    assert lines[-1] == {"lookedAt": 1282, "changed": 1281, "done": True, "error": None}
    assert states(some)[9] == "ERROR"
    again = browser.get("/api/changes", kind="retry").json
    assert (again["certain"]["number"], again["inDoubt"]["number"]) == (0, 1)


@pytest.mark.parametrize(
    ("kind", "state", "count"),
    [
        ("retry", "CANCELLED", 1),
        ("retry", "SUCCESS", 0),
        ("resend", "ERROR", 0),
        ("cancel", "ERROR", 0),
    ],
)
def test_a_filter_for_other_states(
    browser: Browser, some: Mails, kind: str, state: str, count: int
) -> None:
    """A change touches no state that it is not for, and none that was not asked for."""
    before = states(some)
    counted = browser.get("/api/changes", kind=kind, state=state).json
    assert counted["certain"]["number"] == count

    done = browser.change(kind=kind, filter={"state": state})[-1]

    assert done["changed"] == count
    assert sum(states(some)[id] != state for id, state in before.items()) == count


@pytest.mark.parametrize(
    "wish",
    [
        "no JSON",
        "[]",
        "{" * 10_000,
        json.dumps({"kind": "purge", "id": "1"}),
        json.dumps({"kind": "retry"}),
        json.dumps({"kind": "retry", "id": "1", "filter": {}}),
        json.dumps({"kind": "retry", "id": 1}),
        json.dumps({"kind": "retry", "id": "1", "inDoubt": "yes"}),
        json.dumps({"kind": "retry", "filter": []}),
        json.dumps({"kind": "retry", "filter": {"state": {"$ne": None}}}),
        json.dumps({"kind": "retry", "filter": {"state": "LOST"}}),
    ],
)
def test_a_wish_that_says_nothing(browser: Browser, some: Mails, wish: str) -> None:
    """What is not understood changes nothing: never all mails for want of a filter."""
    before = states(some)

    assert browser.request("POST", "/api/changes", wish).status == 400
    assert states(some) == before

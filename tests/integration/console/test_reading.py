"""The list, one mail and its parts, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bson import Binary, ObjectId
from pymongo.collection import Collection

from tasks.operating import ids
from tests.support import console_mails
from tests.support.console import Browser
from tests.support.histories import NOON, past


Mails = Collection[dict[str, Any]]


def numbers(page: dict[str, Any]) -> list[Any]:
    return [ids.read(mail["id"]) for mail in page["mails"]]


def test_the_list_page_by_page(browser: Browser, mails: Mails) -> None:
    """Every mail once, newest first; a place that nobody gave out is refused."""
    mails.insert_many([past(number) for number in range(120)])
    found: list[Any] = []
    after = ""
    while after is not None:
        page = browser.get("/api/mails", after=after).json
        found += numbers(page)
        after = page["after"]

    assert found == list(range(120))
    assert browser.get("/api/mails", after="forged").status == 400


def test_filters(browser: Browser, mails: Mails) -> None:
    """As the command line has them; what is wrong is said by the field's name."""
    mails.insert_many([past(number, ("SUCCESS", "ERROR")[number % 2]) for number in range(20)])

    page = browser.get("/api/mails", state="ERROR", recipient="recipient1").json
    assert numbers(page) == [1, 11, 13, 15, 17, 19]
    wrong = browser.get("/api/mails", state="LOST", since="yesterday")
    assert wrong.status == 400
    assert "state: 'LOST' is no state" in wrong.json["error"]
    assert "since: 'yesterday' is no time" in wrong.json["error"]


@pytest.mark.parametrize(
    "id",
    [7, "7", "a/b?c&d=e#f %", "\u202e\U0001f600", ObjectId(), Binary(b"\0\1"), {"a": [1, "<b>"]}],
    ids=["number", "digits", "signs", "unicode", "ObjectId", "binary", "map"],
)
def test_a_mail_of_any_id(browser: Browser, mails: Mails, id: Any) -> None:
    """Its address leads to it and to no other."""
    mails.insert_many([past(1) | {"_id": id}, past(2) | {"_id": "another"}])
    name = ids.write(id)

    mail = browser.get("/api/mail", id=name).json

    assert mail["id"] == name
    assert mail["subject"] == "Mail 1"
    assert browser.get("/mail/source", id=name).status == 200


def test_what_the_server_said(browser: Browser, mails: Mails) -> None:
    """For each recipient its outcome, with the server's words where there are any."""
    errors = [{"recipient": "b@example.com", "code": 550, "response": "550 5.1.1 Unknown"}]
    info = {"accepted": ["a@example.com"], "rejected": ["b@example.com"], "response": "250 Ok"}
    mails.insert_one(past(1, info=info, errors=errors))

    mail = browser.get("/api/mail", id="1").json

    assert mail["answers"] == [
        {
            "recipient": "b@example.com",
            "outcome": "rejected",
            "code": 550,
            "response": "550 5.1.1 Unknown",
        },
        {"recipient": "a@example.com", "outcome": "accepted", "code": None, "response": None},
    ]
    assert mail["response"] == "250 Ok"


def test_the_html_is_fenced(browser: Browser, mails: Mails) -> None:
    """It comes as it is; the headers let nothing of it run, load, or be sent."""
    document = console_mails.hostile(NOON)
    mails.insert_one(document)
    name = ids.write(document["_id"])

    answer = browser.get("/mail/html", id=name)

    assert console_mails.HOSTILE.encode() in answer.body
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "img-src data:;" in policy
    assert "sandbox allow-popups" in policy
    assert "script" not in policy
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    remote = browser.get("/mail/html", id=name, remote="1").headers["content-security-policy"]
    assert "img-src data: https: http:;" in remote
    assert "script" not in remote


def test_the_source_is_saved_not_shown(browser: Browser, mails: Mails) -> None:
    """All of the document, as Extended JSON that a browser never takes for a page."""
    document = console_mails.hostile(NOON)
    mails.insert_one(document)

    answer = browser.get("/mail/source", id=ids.write(document["_id"]))

    source = json.loads(answer.body)
    assert source["message"]["html"] == document["message"]["html"]
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_what_is_not_there(browser: Browser, mails: Mails) -> None:
    """No such mail, no id, no HTML: said in words."""
    mails.insert_one(past(1))

    assert browser.get("/api/mail", id="2").json == {"error": "there is no such mail"}
    assert browser.get("/api/mail").status == 400
    assert browser.get("/mail/html", id="1").json == {"error": "this mail brings no HTML"}
    assert browser.get("/nothing").status == 404

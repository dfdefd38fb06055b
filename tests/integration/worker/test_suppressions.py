"""SUPPRESSIONS_COLLECTION: addresses that must not get mail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.application import Application, eventually
from tests.support.sink import Script, Sink


SETTINGS = {"SUPPRESSIONS_COLLECTION": "suppressions", "SUPPRESS_HARD_BOUNCES": "true"}


@pytest.fixture
def running(application: Application) -> Application:
    """One watcher and one worker."""
    application.watcher(**SETTINGS)
    application.worker(**SETTINGS)
    return application


def _suppress(running: Application, *addresses: str, **fields: Any) -> None:
    collection = running.mails.database["suppressions"]
    collection.insert_many([{"_id": address, **fields} for address in addresses])


def test_a_suppressed_recipient_gets_nothing_and_the_others_their_mail(
    running: Application, sink: Sink
) -> None:
    """It stands in info.rejected, with the reason."""
    _suppress(running, "ada@example.com", reason="asked not to be written to")
    [id] = running.insert(to=["Ada <ADA@Example.com>", "grace@example.com"])

    delivery = running.wait_for(id, "SUCCESS")

    assert sink.messages[0].recipients == ("grace@example.com",)
    assert delivery["info"]["accepted"] == ["grace@example.com"]
    assert delivery["info"]["rejected"] == ["ADA@Example.com"]
    [error] = delivery["errors"]
    assert error["response"] == "Suppressed: asked not to be written to"


def test_nobody_left_is_an_error_and_no_connection(running: Application, sink: Sink) -> None:
    """The error says why; the server is not asked."""
    _suppress(running, "recipient0@example.com")
    [id] = running.insert()

    delivery = running.wait_for(id, "ERROR")

    assert "Suppressed" in delivery["error"]
    assert delivery["info"]["rejected"] == ["recipient0@example.com"]
    assert sink.counts["connect"] == 0


@pytest.mark.parametrize("written", ["ada@bücher.example", "ada@xn--bcher-kva.example"])
def test_a_domain_may_be_written_either_way(running: Application, sink: Sink, written: str) -> None:
    """As people read it, or in ASCII; in the document and in the collection."""
    _suppress(running, written)
    ids = [
        *running.insert(to="ada@bücher.example"),
        *running.insert(to="Ada@xn--bcher-kva.example"),
    ]

    for id in ids:
        running.wait_for(id, "ERROR")
    assert sink.messages == []


def test_an_address_that_does_not_exist_is_asked_about_once(
    running: Application, sink: Sink
) -> None:
    """A hard bounce at RCPT adds it, with the server's words; other refusals do not."""
    sink.script = Script(
        rcpt={
            "gone@example.com": "550 5.1.1 no such user",
            "full@example.com": "552 5.2.2 mailbox full",
        }
    )
    to = ["gone@example.com", "full@example.com", "ok@example.com"]
    [id] = running.insert(to=to)
    running.wait_for(id, "SUCCESS")
    collection = running.mails.database["suppressions"]
    [found] = eventually("it is added", lambda: list(collection.find()))

    [again] = running.insert(to=to)
    delivery = running.wait_for(again, "SUCCESS")

    assert found["_id"] == "gone@example.com"
    assert found["reason"] == "hard bounce: 550 5.1.1 no such user"
    assert found["mail"] == id
    assert found["at"]
    assert sum("RCPT TO:<gone@example.com>" in command for command in sink.commands) == 1
    assert delivery["info"]["rejected"] == ["gone@example.com", "full@example.com"]


def test_an_address_taken_out_gets_mail_again(running: Application, sink: Sink) -> None:
    """The collection counts as it is when the mail is sent."""
    _suppress(running, "recipient0@example.com")
    [id] = running.insert()
    running.wait_for(id, "ERROR")

    running.mails.database["suppressions"].delete_one({"_id": "recipient0@example.com"})
    running.mails.update_one({"_id": id}, {"$set": {"delivery.state": "RETRY"}})

    running.wait_for(id, "SUCCESS")
    assert len(sink.messages) == 1

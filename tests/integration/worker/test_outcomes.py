"""One mail through the real processes: what the server says, the document says."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import bson
import pytest
from bson import Binary, Decimal128, Int64, ObjectId

from tests.support.application import Application, eventually, mail
from tests.support.sink import Script, Sink, first


@pytest.fixture
def running(application: Application) -> Application:
    """One watcher and one worker."""
    application.watcher()
    application.worker()
    return application


def test_a_mail_is_sent_and_its_delivery_says_so(running: Application, sink: Sink) -> None:
    """SUCCESS has times, attempts, who accepted it and the server's words; no lease is left."""
    [id] = running.insert()

    delivery = running.wait_for(id, "SUCCESS")

    [message] = sink.wait(1)
    assert message.recipients == ("recipient0@example.com",)
    assert b"Subject: Mail 0\r\n" in message.content
    assert delivery["attempts"] == 1
    assert delivery["error"] is None
    assert delivery["errors"] == []
    assert delivery["leaseExpireTime"] is None
    assert "phase" not in delivery
    assert delivery["startTime"] <= delivery["endTime"]
    info = delivery["info"]
    assert info["accepted"] == ["recipient0@example.com"]
    assert info["rejected"] == info["pending"] == []
    assert info["response"].startswith("250")
    assert info["messageId"].encode() in message.content


def test_every_mail_of_a_burst_is_sent_exactly_once(running: Application, sink: Sink) -> None:
    """500 mails inserted at once: 500 mails at the server, 500 SUCCESS."""
    running.insert(500)

    running.wait_for_all("SUCCESS", 500)

    recipients = sorted(message.recipients[0] for message in sink.messages)
    assert recipients == sorted(f"recipient{number}@example.com" for number in range(500))


IDS = [
    ObjectId(), "an id", 7, Int64(2**40), 7.5, True, None, Decimal128("1.10"), bson.MinKey(),
    Binary(b"\x00\x01", 0), Binary.from_uuid(uuid.uuid4()), dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    {"tenant": 4, "mail": {"number": Int64(3)}}, bson.Timestamp(4, 5),
]  # fmt: skip


def test_an_id_may_be_of_any_type(running: Application) -> None:
    """The id travels through JSON and finds its document again, whatever BSON type it has."""
    running.mails.insert_many([{"_id": id, **mail()} for id in IDS])

    running.wait_for_all("SUCCESS", len(IDS))


def test_a_wrong_document_ends_in_error_and_harms_no_other(
    running: Application, sink: Sink
) -> None:
    """Every problem is named by its path; the next mails are sent."""
    wrong = {"to": "a@example.com", "message": {"subject": 1, "text": ["x"]}}
    wrong_id = running.mails.insert_one(wrong).inserted_id
    [good_id] = running.insert()

    delivery = running.wait_for(wrong_id, "ERROR")
    error = delivery["error"]
    running.wait_for(good_id, "SUCCESS")

    assert "message.subject" in error
    assert "message.text" in error
    assert [(each["path"], each["code"]) for each in delivery["errors"]] == [
        ("message.subject", "WRONG_TYPE"),
        ("message.text", "WRONG_TYPE"),
    ]
    assert len(sink.messages) == 1


def test_recipients_are_answered_for_one_by_one(running: Application, sink: Sink) -> None:
    """Refused for good, refused for now and accepted stand in their own lists, with the reasons."""
    sink.script = Script(
        rcpt={"gone@example.com": "550 5.1.1 no such user", "full@example.com": "452 4.2.2 full"}
    )
    [id] = running.insert(to=["ok@example.com", "gone@example.com", "full@example.com", "bad@@x"])

    delivery = running.wait_for(id, "SUCCESS")

    info = delivery["info"]
    assert info["accepted"] == ["ok@example.com"]
    assert set(info["rejected"]) == {"gone@example.com", "bad@@x"}
    assert info["pending"] == ["full@example.com"]
    codes = {each["recipient"]: each["code"] for each in delivery["errors"]}
    assert codes == {"gone@example.com": 550, "full@example.com": 452, "bad@@x": None}


@pytest.mark.parametrize(
    ("extensions", "said"),
    [
        (("PIPELINING", "DSN"), " NOTIFY=FAILURE ORCPT=rfc822;recipient0@example.com"),
        (("PIPELINING",), ""),
    ],
)
def test_notifications_are_asked_for_where_the_server_knows_them(
    running: Application, sink: Sink, extensions: tuple[str, ...], said: str
) -> None:
    """`dsn` reaches a server with DSN; one without gets the same mail."""
    sink.script = Script(extensions=extensions)
    [id] = running.insert(dsn={"notify": ["failure"]})

    running.wait_for(id, "SUCCESS")

    assert f"RCPT TO:<recipient0@example.com>{said}" in sink.commands


def test_a_mail_that_nobody_may_have_is_an_error(running: Application, sink: Sink) -> None:
    """All recipients refused: ERROR with the server's words, and nothing sent."""
    sink.script = Script(rcpt="550 5.1.1 no such user")
    [id] = running.insert()

    delivery = running.wait_for(id, "ERROR")

    assert "no such user" in delivery["error"]
    assert delivery["info"]["rejected"] == ["recipient0@example.com"]
    assert sink.messages == []


def test_a_server_that_is_away_fails_the_mail_with_its_address(
    running: Application, sink: Sink
) -> None:
    """ERROR names host and port; after RETRY, with the server back, the mail is sent."""
    sink.script = Script(connect="refuse")
    [id] = running.insert()
    error = running.wait_for(id, "ERROR")["error"]

    sink.script = Script()
    running.mails.update_one({"_id": id}, {"$set": {"delivery.state": "RETRY"}})
    delivery = running.wait_for(id, "SUCCESS")

    assert f"127.0.0.1:{sink.port}" in error
    assert delivery["attempts"] == 2
    assert len(sink.messages) == 1


def test_an_unknown_outcome_is_said_and_not_sent_again(running: Application, sink: Sink) -> None:
    """The connection broke after the final dot: ERROR that says so, and one mail at most."""
    sink.script = Script(after_data=first(1, "drop"))
    [id] = running.insert()

    delivery = running.wait_for(id, "ERROR")
    [other] = running.insert()
    running.wait_for(other, "SUCCESS")

    assert "unknown" in delivery["error"] or "may" in delivery["error"]
    assert delivery["info"]["accepted"] == delivery["info"]["pending"] == []
    assert len(sink.messages) == 2


def test_idle_connections_closed_by_the_server_fail_no_mail(
    running: Application, sink: Sink
) -> None:
    """A pooled connection that died is opened anew."""
    for number in range(3):
        [id] = running.insert()
        running.wait_for(id, "SUCCESS")
        sink.disconnect("421 4.4.2 idle too long" if number else None)

    assert len(sink.messages) == 3


@pytest.mark.parametrize("again", ["RETRY", "PENDING", None])
def test_a_finished_mail_is_sent_again_when_someone_asks(
    running: Application, sink: Sink, again: str | None
) -> None:
    """RETRY, PENDING or no delivery: sent again, with the document as it is now."""
    [id] = running.insert()
    running.wait_for(id, "SUCCESS")

    change: dict[str, Any] = {"$set": {"message.subject": "Again"}}
    if again:
        change["$set"]["delivery.state"] = again
    else:
        change["$unset"] = {"delivery": ""}
    running.mails.update_one({"_id": id}, change)
    messages = sink.wait(2)

    assert b"Subject: Again\r\n" in messages[1].content
    delivery = running.wait_for(id, "SUCCESS")
    assert delivery["attempts"] == (2 if again else 1)


def test_states_of_the_users_own_hold_a_mail_back(running: Application, sink: Sink) -> None:
    """DRAFT and CANCELLED are left alone."""
    drafts = running.insert(2, delivery={"state": "DRAFT"})
    running.insert()
    running.wait_for_all("SUCCESS", 1)

    running.mails.update_one({"_id": drafts[0]}, {"$set": {"delivery.state": "PENDING"}})
    running.wait_for(drafts[0], "SUCCESS")

    assert running.delivery(drafts[1]) == {"state": "DRAFT"}
    assert len(sink.messages) == 2


def test_a_deleted_document_is_dropped_quietly(application: Application, sink: Sink) -> None:
    """Enqueued, deleted, then taken by a worker: nothing happens."""
    application.watcher()
    [gone] = application.insert()
    application.wait_for(gone, "PENDING")
    application.mails.delete_one({"_id": gone})
    [kept] = application.insert()

    application.worker()
    application.wait_for(kept, "SUCCESS")

    eventually("empty queue", lambda: application.queued() == 0)
    assert len(sink.messages) == 1

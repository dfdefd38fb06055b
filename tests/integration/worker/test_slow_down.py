"""A server that asks for fewer mails: its domain is left in peace, and no attempts are burnt."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tasks.limits import keys
from tests.support.application import Application, eventually
from tests.support.sink import Script, Sink, first


SLOW = "450 4.7.1 Too many mails from you"
CLOSING = "421 4.7.0 Try again later, closing connection"
SOMEONE = "someone@slow.example"


def _until(application: Application, what: str, check: Callable[[], bool]) -> None:
    """Wait for something that comes after the pause, and let the pause pass by meanwhile.

    Again and again: a worker looks at what Redis knows once a second.
    """

    def checked() -> bool:
        _end_pause(application)
        return check()

    eventually(what, checked)


def _end_pause(application: Application) -> None:
    name = keys.pauses(application.settings.broker_prefix)
    for domain in application.redis.hkeys(name):
        application.redis.hset(name, domain, f"{int(time.time() * 1000) - 1} 30000")
    waiting = {"delivery.state": "PENDING", "delivery.nextAttemptTime": {"$gt": datetime.now(UTC)}}
    at_once = {"$set": {"delivery.nextAttemptTime": datetime.now(UTC)}}
    application.mails.update_many(waiting, at_once)


def test_other_mails_to_the_domain_wait_and_none_else(application: Application, sink: Sink) -> None:
    """With MAX_ATTEMPTS=1 the mail that was refused ends; the others have not been tried."""
    sink.script = Script(rcpt={SOMEONE: SLOW})
    application.watcher()
    for _ in range(2):
        application.worker()
    [refused] = application.insert(to=SOMEONE)
    delivery = application.wait_for(refused, "ERROR")

    waiting = application.insert(20, to=SOMEONE)
    waiting += application.insert(to=["ok@example.com", "someone@SLOW.example"])
    application.insert(20)
    application.wait_for_all("SUCCESS", 20)
    why = "slow.example, which asked for fewer mails"
    query = {"delivery.state": "PENDING", "delivery.waitsFor": why}
    eventually("they wait", lambda: application.mails.count_documents(query) == len(waiting))

    assert delivery["info"]["pending"] == [SOMEONE]
    assert application.states() == {"ERROR": 1, "PENDING": 21, "SUCCESS": 20}
    assert sink.counts["RCPT"] == 1 + 20
    assert application.mails.distinct("delivery.attempts", query) == [0]


@pytest.mark.parametrize("stage", ["rcpt", "mail", "data", "after_data"])
@pytest.mark.parametrize("answer", [SLOW, CLOSING])
def test_an_attempt_that_met_a_throttling_server_does_not_count(
    application: Application, sink: Sink, stage: str, answer: str
) -> None:
    """With MAX_ATTEMPTS the mail waits for the end of the pause, twice if need be."""
    sink.script = Script().at(stage, first(2, answer))
    application.watcher(MAX_ATTEMPTS="2")
    application.worker(MAX_ATTEMPTS="2")
    [id] = application.insert(to=SOMEONE)

    eventually("throttled", lambda: application.delivery(id).get("throttled") == 1)
    delivery = application.delivery(id)
    assert delivery["state"] == "PENDING"
    assert delivery["attempts"] == 0
    assert delivery["waitsFor"] == "slow.example, which asked for fewer mails"
    assert answer[4:] in delivery["error"]
    _until(application, "sent", lambda: application.delivery(id)["state"] == "SUCCESS")

    delivery = application.delivery(id)
    assert delivery["attempts"] == 1
    assert "throttled" not in delivery
    assert "waitsFor" not in delivery
    assert len(sink.messages) == 1


def test_another_refusal_counts_though_somebody_was_throttled(
    application: Application, sink: Sink
) -> None:
    """One recipient's mailbox is full: that is an attempt; accepted ones are not asked again."""
    answers = {
        "someone@slow.example": first(1, SLOW),
        "full@example.com": first(1, "452 4.2.2 Mailbox full"),
    }
    sink.script = Script(rcpt=answers)
    application.watcher(MAX_ATTEMPTS="3", RETRY_BASE_SECONDS="0.2")
    application.worker(MAX_ATTEMPTS="3", RETRY_BASE_SECONDS="0.2")
    [id] = application.insert(to=["ok@example.com", *answers])
    eventually("tried", lambda: application.delivery(id).get("retries") == 1)
    assert application.delivery(id)["attempts"] == 1

    _until(application, "sent", lambda: application.delivery(id)["state"] == "SUCCESS")

    assert application.delivery(id)["attempts"] == 2
    assert [each.recipients for each in sink.messages] == [("ok@example.com",), tuple(answers)]


def test_a_timeout_of_the_connection_slows_nobody_down(
    application: Application, sink: Sink
) -> None:
    """421 4.4.2 says nothing about too many mails."""
    sink.script = Script(mail=first(1, "421 4.4.2 Timeout exceeded"))
    application.watcher()
    application.worker()
    [failed] = application.insert(to=SOMEONE)
    application.wait_for(failed, "ERROR")

    [sent] = application.insert(to=SOMEONE)

    application.wait_for(sent, "SUCCESS")
    assert application.redis.hlen(keys.pauses(application.settings.broker_prefix)) == 0

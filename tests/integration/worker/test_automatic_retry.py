"""MAX_ATTEMPTS: mails the server refused for now come back by themselves."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.application import Application, eventually
from tests.support.sink import Script, Sink, first


QUICK = {
    "MAX_ATTEMPTS": "3",
    "RETRY_BASE_SECONDS": "0.2",
    "RETRY_MAX_SECONDS": "0.5",
    "SWEEP_SECONDS": "0.5",
}


@pytest.fixture
def running(application: Application) -> Application:
    """One watcher and one worker that try three times, soon."""
    application.watcher(**QUICK)
    application.worker(**QUICK)
    return application


def test_only_recipients_without_an_answer_are_tried_again(
    running: Application, sink: Sink
) -> None:
    """One accepts, one is gone, one is full at first: three mails are never sent where two do."""
    sink.script = Script(
        rcpt={"gone@example.com": "550 5.1.1 no", "full@example.com": first(1, "452 4.2.2 full")}
    )
    [id] = running.insert(to=["ok@example.com", "gone@example.com", "full@example.com"])

    delivery = running.wait_for(id, "SUCCESS")

    assert delivery["attempts"] == 2
    assert delivery["info"]["accepted"] == ["ok@example.com", "full@example.com"]
    assert delivery["info"]["rejected"] == ["gone@example.com"]
    assert delivery["info"]["pending"] == []
    assert "retries" not in delivery
    counts = Counter(each for message in sink.messages for each in message.recipients)
    assert counts == {"ok@example.com": 1, "full@example.com": 1}


def test_after_the_last_attempt_the_error_stays(running: Application, sink: Sink) -> None:
    """Three refusals for now: ERROR, three attempts, the server's words."""
    sink.script = Script(mail="451 4.3.0 come back later")
    [id] = running.insert()

    delivery = running.wait_for(id, "ERROR")

    assert delivery["attempts"] == 3
    assert "come back later" in delivery["error"]
    assert delivery["info"]["pending"] == ["recipient0@example.com"]
    assert delivery["endTime"] is not None


def test_a_server_that_was_away_for_a_moment_costs_nothing(
    application: Application, sink: Sink
) -> None:
    """While it is away the mails wait, with their errors; then they are sent, once."""
    running = application
    running.watcher(**QUICK)
    running.worker(**{**QUICK, "MAX_ATTEMPTS": "50"})
    sink.script = Script(connect="refuse")
    ids = running.insert(50)
    waiting = {"delivery.state": "PENDING", "delivery.retries": {"$gte": 1}}
    eventually("a mail waits for its next attempt", lambda: running.mails.find_one(waiting))

    sink.script = Script()
    running.wait_for_all("SUCCESS", len(ids))

    counts = Counter(each for message in sink.messages for each in message.recipients)
    assert set(counts.values()) == {1}


def test_a_mail_in_doubt_is_not_retried(running: Application, sink: Sink) -> None:
    """The connection broke after the final dot: one attempt, whatever MAX_ATTEMPTS allows."""
    sink.script = Script(after_data=first(1, "drop"))
    [id] = running.insert()

    delivery = running.wait_for(id, "ERROR")

    assert delivery["attempts"] == 1
    assert len(sink.messages) == 1


def test_a_retry_by_hand_goes_to_everybody(running: Application, sink: Sink) -> None:
    """RETRY into a finished mail means all of it again."""
    sink.script = Script(rcpt={"full@example.com": first(1, "452 4.2.2 full")})
    [id] = running.insert(to=["ok@example.com", "full@example.com"])
    running.wait_for(id, "SUCCESS")

    running.mails.update_one({"_id": id}, {"$set": {"delivery.state": "RETRY"}})

    messages = sink.wait(3)
    assert set(messages[2].recipients) == {"ok@example.com", "full@example.com"}

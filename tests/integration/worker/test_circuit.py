"""CIRCUIT_FAILURES: an outage of the SMTP server costs few attempts, and is tried out by one."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from tests.support.application import Application, eventually
from tests.support.sink import Script, Sink


MAILS = 500
WAITING = {"delivery.state": "PENDING", "delivery.waitsFor": {"$regex": "^a connection to "}}


#: A success ends the count; what was connecting then and is refused afterwards begins a new one.
UNDER_WAY = 4 * 8 // 2


def _start(application: Application, **variables: str) -> None:
    application.watcher(**variables)
    for _ in range(4):
        application.worker(WORKER_CONCURRENCY="8", **variables)


def _failed_when_settled(application: Application) -> int:
    settled = {"SUCCESS", "ERROR"}
    eventually("all settled", lambda: set(application.states()) <= settled, 90)
    states = application.states()
    assert sum(states.values()) == MAILS
    return states.get("ERROR", 0)


@pytest.mark.parametrize("attempts", ["1", "3"])
def test_an_outage_costs_a_few_mails_an_attempt(
    application: Application, sink: Sink, attempts: str
) -> None:
    """Of 500 mails 5 have met it, and those that were connecting when the server came back.

    All others are sent, each once.
    """
    sink.script = Script(connect="refuse")
    _start(application, MAX_ATTEMPTS=attempts, RETRY_BASE_SECONDS="0.1")
    application.insert(MAILS)
    tried = {"delivery.errors.0": {"$exists": True}}
    eventually("others wait", lambda: application.mails.count_documents(WAITING) > 20, 30)

    assert application.mails.count_documents(tried) <= 5
    assert application.mails.distinct("delivery.attempts", WAITING) == [0]
    [why] = application.mails.distinct("delivery.waitsFor", WAITING)
    assert why == f"a connection to 127.0.0.1:{sink.port}"

    sink.script = Script()
    failed = _failed_when_settled(application)
    assert (5 <= failed <= 5 + UNDER_WAY) if attempts == "1" else failed == 0
    assert set(Counter(each.recipients for each in sink.messages).values()) == {1}


def test_one_connection_at_a_time_is_tried(application: Application, sink: Sink) -> None:
    """After the first five: after 1, 2, 4 s, whatever the number of workers and mails."""
    sink.script = Script(connect="421 4.3.2 Not now")
    _start(application)
    application.insert(MAILS)
    eventually("open", lambda: sink.counts["connect"] >= 5, 30)
    opened = time.monotonic()
    eventually("probes", lambda: time.monotonic() > opened + 6, 10)
    # The threads that were connecting when the fifth failed had begun before it was known.
    late = 4 * 8
    assert sink.counts["connect"] <= 5 + late + 3
    eventually("third probe", lambda: _failures(application) >= 7, 30)
    before = sink.counts["connect"]
    eventually("next probe", lambda: sink.counts["connect"] > before, 30)

    sink.script = Script()
    inserted = time.monotonic()
    failed = _failed_when_settled(application)
    assert time.monotonic() - inserted < 45
    assert 5 <= failed <= 5 + UNDER_WAY


def _failures(application: Application) -> int:
    prefix = application.settings.broker_prefix
    return int(application.redis.hget(f"{prefix}circuit:default", "failures") or 0)


def test_new_mails_wait_too_and_go_out_when_it_is_closed(
    application: Application, sink: Sink
) -> None:
    """Whatever their priority; an attempt is never counted."""
    sink.script = Script(connect="refuse")
    _start(application)
    application.insert(20)
    application.wait_for_all("ERROR", 5)
    eventually("others wait", lambda: application.mails.count_documents(WAITING) >= 15)

    [high] = application.insert(to="high@example.com", priority="high")
    application.wait_for(high, "PENDING")
    sink.script = Script()
    delivery = application.wait_for(high, "SUCCESS", seconds=40)
    application.wait_for_all("SUCCESS", 16)

    assert delivery["attempts"] == 1
    assert application.states() == {"SUCCESS": 16, "ERROR": 5}


def test_without_a_circuit_every_mail_tries_for_itself(
    application: Application, sink: Sink
) -> None:
    """CIRCUIT_FAILURES=0: each mail ends with the error."""
    sink.script = Script(connect="refuse")
    _start(application, CIRCUIT_FAILURES="0")
    application.insert(50)

    application.wait_for_all("ERROR", 50)


def test_failures_between_successes_open_nothing(application: Application, sink: Sink) -> None:
    """A server that refuses now and then: only the mails that met it fail."""
    application.watcher()
    application.worker(WORKER_CONCURRENCY="1", CIRCUIT_FAILURES="2")
    for number in range(4):
        sink.script = Script(connect="refuse")
        sink.disconnect()
        [failed] = application.insert()
        application.wait_for(failed, "ERROR")
        sink.script = Script()
        [sent] = application.insert_numbered([100 + number])
        application.wait_for(sent, "SUCCESS")

"""RATE_LIMIT and RATE_LIMIT_DOMAINS through the real processes, counted at the server."""

from __future__ import annotations

import time
from collections import Counter

from tests.support.application import Application, eventually
from tests.support.sink import Message, Script, Sink


WORKERS = 4


def _start(application: Application, **variables: str) -> None:
    application.watcher(**variables)
    for _ in range(WORKERS):
        application.worker(WORKER_CONCURRENCY="4", **variables)


def _shortest(messages: list[Message], count: int) -> float:
    """Tell the shortest time in which one mail more than `count` was taken."""
    times = sorted(message.at for message in messages)
    return min(times[n + count] - times[n] for n in range(len(times) - count))


def test_no_second_has_more_mails_than_the_limit(application: Application, sink: Sink) -> None:
    """Four workers, one limit: never above it, all of it used but for what a busy machine loses.

    Every mail is sent once; a mail of high priority does not wait for those that came before.
    """
    _start(application, RATE_LIMIT="14/second")
    application.insert(200)
    sink.wait(60, seconds=30)

    inserted = time.time()
    [high] = application.insert(to="high@example.com", priority="high")
    application.wait_for(high, "SUCCESS")
    came = next(each.at for each in sink.messages if each.recipients == ("high@example.com",))
    application.wait_for_all("SUCCESS", 201, seconds=60)

    messages = sink.messages
    assert _shortest(messages, 14) >= 1
    assert set(Counter(each.recipients for each in messages).values()) == {1}
    assert len(messages) / (messages[-1].at - messages[0].at) > 14 / 2
    assert came - inserted < 5  # 140 mails waited before it: ten seconds
    assert {each["delivery"]["attempts"] for each in application.mails.find()} == {1}
    assert application.mails.find_one({"delivery.waitsFor": {"$exists": True}}) is None


def test_the_backlog_waits_in_mongodb(application: Application, sink: Sink) -> None:
    """Only the next few seconds' mails have a turn; the others are untouched."""
    _start(application, RATE_LIMIT="5/second")
    application.insert(300)
    sink.wait(15, seconds=30)

    turns = {"delivery.waitsFor": "RATE_LIMIT"}
    waiting = application.mails.find_one({**turns, "delivery.state": "PENDING"})
    assert waiting is not None
    assert waiting["delivery"]["attempts"] == 0
    assert waiting["delivery"]["nextAttemptTime"] is not None
    assert application.mails.count_documents(turns) < 100
    untouched = {"delivery.state": "PENDING", "delivery.waitsFor": None}
    assert application.mails.count_documents(untouched) > 150


def test_a_domain_limit_holds_up_that_domain_alone(application: Application, sink: Sink) -> None:
    """Mails to it go out at its rate; all others as if there were none."""
    _start(application, RATE_LIMIT_DOMAINS="slow.example=2/second")
    application.insert(60, to="someone@SLOW.example")
    started = time.time()
    application.insert(200)

    sink.wait(200 + 2, seconds=30)
    others = [each for each in sink.messages if each.recipients != ("someone@slow.example",)]
    sink.wait(200 + 8, seconds=30)

    slow = [each for each in sink.messages if "slow" in each.recipients[0].lower()]
    assert _shortest(slow, 2) >= 1
    assert max(each.at for each in others) - started < 15
    waits = application.mails.distinct("delivery.waitsFor", {"delivery.state": "PENDING"})
    assert waits == ["RATE_LIMIT_DOMAINS: slow.example"]


def test_a_mail_to_several_domains_keeps_the_limits_of_all(
    application: Application, sink: Sink
) -> None:
    """It counts once for each, and goes out whole."""
    _start(application, RATE_LIMIT_DOMAINS="a.example=3/second, b.example=100/second")
    application.insert(12, to=["x@a.example", "y@a.example", "z@b.example"])

    messages = sink.wait(12, seconds=30)

    assert all(len(each.recipients) == 3 for each in messages)
    assert _shortest(messages, 3) >= 1


def test_a_stop_gives_back_mails_that_wait_for_their_slot(
    application: Application, sink: Sink
) -> None:
    """Nothing stays in work, nothing fails; the next worker sends the rest."""
    application.watcher(RATE_LIMIT="5/second")
    worker = application.worker(RATE_LIMIT="5/second")
    application.insert(30)
    sink.wait(8, seconds=30)

    assert worker.stop(timeout=20) == 0

    assert set(application.states()) <= {"SUCCESS", "PENDING"}
    assert application.states()["SUCCESS"] == len(sink.messages)
    application.worker(RATE_LIMIT="5/second")
    application.wait_for_all("SUCCESS", 30)
    assert _shortest(sink.messages, 5) >= 1
    assert set(Counter(each.recipients for each in sink.messages).values()) == {1}


def test_a_slow_server_changes_nothing(application: Application, sink: Sink) -> None:
    """Each reply takes 50 ms: more threads send at once, within the same limit."""
    sink.script = Script(delay=0.05)
    _start(application, RATE_LIMIT="20/second")
    application.insert(150)

    messages = sink.wait(100, seconds=40)

    assert _shortest(messages, 20) >= 1


def test_a_lost_broker_delays_mails_and_loses_none(application: Application, sink: Sink) -> None:
    """Redis loses everything while mails wait for their turn: they come all the same."""
    _start(application, RATE_LIMIT="10/second", SWEEP_SECONDS="0.5")
    application.insert(60)
    sink.wait(10, seconds=30)

    application.redis.flushall()

    application.wait_for_all("SUCCESS", 60, seconds=60)
    assert set(Counter(each.recipients for each in sink.messages).values()) == {1}
    eventually("empty queue", lambda: application.queued() == 0)

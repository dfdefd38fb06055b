"""What a worker does with the mails in its hands when it is stopped, killed or paused."""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from tests.support.application import Application, eventually
from tests.support.sink import Script, Sink


@pytest.mark.parametrize("pool", ["threads", "prefork", "solo"])
def test_a_stop_finishes_what_is_in_hand_and_puts_the_rest_back(
    application: Application, sink: Sink, pool: str
) -> None:
    """After SIGTERM nothing is PROCESSING, nothing is ERROR; another worker sends the rest."""
    sink.script = Script(delay=0.02)
    application.watcher()
    worker = application.worker(WORKER_POOL=pool, WORKER_CONCURRENCY="2")
    application.insert(200)
    application.wait_for_all("SUCCESS", 5)

    assert worker.stop(timeout=30) == 0

    states = application.states()
    assert states.get("SUCCESS", 0) < 200
    assert set(states) <= {"SUCCESS", "PENDING"}
    assert len(sink.messages) == states["SUCCESS"]
    sink.script = Script()
    application.worker()
    application.wait_for_all("SUCCESS", 200)
    assert _twice(sink) == {}


def test_mails_of_a_killed_worker_are_settled_by_the_sweep(
    application: Application, sink: Sink
) -> None:
    """SIGKILL: what was only claimed is sent by another; SENDING becomes ERROR; nothing twice."""
    sink.script = Script(delay=0.05)
    short = {"LEASE_SECONDS": "5", "SWEEP_SECONDS": "0.5"}
    application.watcher(**short)
    worker = application.worker(WORKER_CONCURRENCY="4", **short)
    application.insert(100)
    application.wait_for_all("SUCCESS", 5)

    worker.kill()

    sink.script = Script()
    application.worker(**short)
    settled = {"delivery.state": {"$in": ["SUCCESS", "ERROR"]}}
    eventually("all settled", lambda: application.mails.count_documents(settled) == 100, 20)
    assert _twice(sink) == {}
    sent = {message.recipients[0] for message in sink.messages}
    for document in application.mails.find():
        delivery = document["delivery"]
        if delivery["state"] == "ERROR":
            assert delivery["error"] == "Message processing lease expired."
        else:
            assert document["to"] in sent


def test_a_paused_worker_does_not_send_what_another_has(
    application: Application, sink: Sink
) -> None:
    """Paused past its lease and woken again, a worker sends nothing a second time."""
    sink.script = Script(delay=0.05)
    short = {"LEASE_SECONDS": "5", "SWEEP_SECONDS": "0.5"}
    application.watcher(**short)
    paused = application.worker(WORKER_CONCURRENCY="4", **short)
    application.insert(60)
    application.wait_for_all("SUCCESS", 5)

    paused.signal(signal.SIGSTOP)
    application.worker(**short)
    in_work = {"delivery.state": {"$in": ["PENDING", "PROCESSING"]}}
    eventually("others are done", lambda: not application.mails.count_documents(in_work), 20)
    paused.signal(signal.SIGCONT)

    [last] = application.insert(to="last@example.com")
    application.wait_for(last, "SUCCESS")
    assert paused.stop(timeout=20) == 0
    assert _twice(sink) == {}
    accepted = {message.recipients[0] for message in sink.messages}
    for document in application.mails.find({"delivery.state": "SUCCESS"}):
        assert document["to"] in accepted
    failed = application.mails.count_documents({"delivery.state": "ERROR"})
    assert len(accepted) >= 61 - failed


def _twice(sink: Sink) -> dict[str, int]:
    counts = Counter(message.recipients[0] for message in sink.messages)
    return {recipient: count for recipient, count in counts.items() if count > 1}

"""kill -9, again and again, while mails are on their way."""

from __future__ import annotations

import pytest

from tests.chaos.books import balance
from tests.support.application import Application, eventually
from tests.support.sink import Script, Sink


MAILS = 600
SHORT = {"LEASE_SECONDS": "5", "SWEEP_SECONDS": "0.5", "WORKER_CONCURRENCY": "4"}


@pytest.mark.parametrize("victim", ["worker", "watcher", "both"])
def test_kills_lose_and_double_nothing(application: Application, sink: Sink, victim: str) -> None:
    """Three kills in 600 mails: all settled within a lease and a sweep, and the books balance."""
    watcher, worker = application.watcher(**SHORT), application.worker(**SHORT)
    for kill in range(3):
        numbers = range(kill * MAILS // 3, (kill + 1) * MAILS // 3)
        application.insert_numbered(numbers)
        application.wait_for_all("SUCCESS", kill * MAILS // 4 + 20)
        if victim != "watcher":
            worker.kill()
            worker = application.worker(**SHORT)
        if victim != "worker":
            watcher.kill()
            watcher = application.watcher(**SHORT)
    sink.script = Script()

    settled = {"delivery.state": {"$in": ["SUCCESS", "ERROR"]}}
    eventually("all settled", lambda: application.mails.count_documents(settled) == MAILS, 40)

    books = balance(application.mails, sink)
    assert books.problems == [], str(books)

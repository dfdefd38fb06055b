"""Redis emptied and restarted while mails are on their way; MongoDB has everything."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tasks.delivery.states import State
from tests.chaos.trial import Trial
from tests.support.application import Application, eventually
from tests.support.own_servers import Broker
from tests.support.sink import Script


MAILS = 600
SWEEP = 1.0
SETTINGS = {"SWEEP_SECONDS": str(SWEEP), "WORKER_CONCURRENCY": "4", "BATCH_SIZE": "10"}


@pytest.fixture
def application(application: Application, own_broker: Broker) -> Application:
    """The processes on a broker of their own."""
    application.use_broker(own_broker.url)
    return application


def test_flushed(trial: Trial) -> None:
    """FLUSHALL, also of kombu's own keys: what was lost is enqueued again, and sent once."""
    application = trial.application
    trial.sink.script = Script(delay=0.02)
    watcher, worker = application.watcher(**SETTINGS), application.worker(**SETTINGS)
    application.insert(MAILS)
    application.wait_for_all("SUCCESS", 20)
    eventually("a queue", lambda: application.queued() > 20)

    application.redis.flushall()
    flushed, flush_time = time.monotonic(), datetime.now(UTC)
    old = {"delivery.state": State.PENDING, "delivery.enqueueTime": {"$lt": flush_time}}
    lost = application.mails.count_documents(old)
    assert lost >= MAILS / 2
    eventually("enqueued again", lambda: not application.mails.count_documents(old), 30)
    trial.note("what was lost is enqueued again", time.monotonic() - flushed, SWEEP + 5)
    trial.sink.script = Script()
    trial.wait_until_settled()

    assert watcher.returncode is worker.returncode is None
    books = trial.balance("Redis flushed", remarks=[f"{lost} were lost"])
    assert books.states == {"SUCCESS": MAILS}


def test_restarted(trial: Trial, own_broker: Broker) -> None:
    """Redis stopped, then killed, each time started again while mails are in hand: nobody dies, all
    are sent once."""
    application, server = trial.application, own_broker.server
    trial.sink.script = Script(delay=0.02)
    watcher, worker = application.watcher(**SETTINGS), application.worker(**SETTINGS)
    for number, end in enumerate([server.stop, server.kill]):
        first = number * MAILS // 2
        application.insert_numbered(range(first, first + MAILS // 4))
        application.wait_for_all("SUCCESS", first + 20)

        end()
        application.insert_numbered(range(first + MAILS // 4, first + MAILS // 2))
        server.start()
        trial.note_sent(trial.probe(), SWEEP + 5)
        application.wait_for_all("SUCCESS", first + MAILS // 2)

    trial.wait_until_settled()
    assert watcher.returncode is worker.returncode is None
    assert trial.balance("Redis stopped, killed, started").states == {"SUCCESS": MAILS + 2}

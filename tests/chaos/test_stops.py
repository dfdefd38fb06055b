"""SIGTERM while mails are on their way: a rolling restart."""

from __future__ import annotations

import time

from local.processes import Server
from tasks.delivery.states import State
from tests.chaos.trial import Trial


MAILS = 900
LEASE, SWEEP = 10.0, 0.5
SHORT = {
    "LEASE_SECONDS": str(LEASE),
    "SWEEP_SECONDS": str(SWEEP),
    "WORKER_CONCURRENCY": "4",
}


def test_a_rolling_restart(trial: Trial) -> None:
    """Workers and watchers replaced one by one under load: nothing in hand is left, no ERROR."""
    application = trial.application
    watchers = [application.watcher(**SHORT) for _ in range(2)]
    workers = [application.worker(**SHORT) for _ in range(2)]
    for number in range(2):
        application.insert_numbered(range(number * MAILS // 2, (number + 1) * MAILS // 2))
        application.wait_for_all("SUCCESS", number * MAILS // 2 + 20)
        _stop_worker(trial, workers[number])
        application.worker(**SHORT)
        started = time.monotonic()
        assert watchers[number].stop() == 0
        trial.note(f"watcher {number} stopped", time.monotonic() - started, 2)
        application.watcher(**SHORT)

    trial.wait_until_settled()

    assert trial.balance("SIGTERM, all replaced one by one").states == {"SUCCESS": MAILS}


def _stop_worker(trial: Trial, worker: Server) -> None:
    """Stop it; what it had in hand is finished or given back when it ends."""
    mails = trial.application.mails
    mine = {"delivery.state": State.PROCESSING, "delivery.worker": {"$regex": f":{worker.pid}:"}}
    assert mails.count_documents(mine) > 0, "nothing in hand: the stop would show nothing"
    started = time.monotonic()

    assert worker.stop(timeout=30) == 0

    # docs/operations.md: "Give a worker LEASE_SECONDS plus some for it".
    trial.note("a worker stopped", time.monotonic() - started, LEASE)
    assert mails.count_documents(mine) == 0

"""Processes that stand still for longer than their lease, and then go on."""

from __future__ import annotations

import signal
import time

from tasks.delivery.states import State
from tests.chaos.trial import Trial
from tests.support.application import eventually
from tests.support.sink import Script


MAILS = 600
LEASE, SWEEP = 5.0, 0.5
SHORT = {
    "LEASE_SECONDS": str(LEASE),
    "SWEEP_SECONDS": str(SWEEP),
    "WORKER_CONCURRENCY": "8",
    # A mail that was interrupted before its content is tried again.
    "MAX_ATTEMPTS": "5",
    "RETRY_BASE_SECONDS": "0.1",
}
STANDBY_LEADS = 10.0


def test_paused_past_the_lease(trial: Trial) -> None:
    """A worker and the leader stopped by SIGSTOP, overtaken, and woken: each mail is sent once, and
    the woken worker's "lease expired" gives way to the truth."""
    application = trial.application
    trial.sink.script = Script(delay=0.02)
    leader, standby = application.watcher(**SHORT), application.watcher(**SHORT)
    worker = application.worker(**SHORT)
    application.insert(MAILS)
    application.wait_for_all("SUCCESS", 50)

    trial.excuse(worker)
    worker.signal(signal.SIGSTOP)
    leader.signal(signal.SIGSTOP)
    paused = time.monotonic()
    application.worker(**SHORT)
    trial.wait_until_leads(standby, paused, STANDBY_LEADS)
    trial.wait_until_settled()
    expired = application.mails.count_documents({"delivery.state": State.ERROR})
    assert expired > 0, "the worker was in the middle of nothing"
    leader.signal(signal.SIGCONT)
    worker.signal(signal.SIGCONT)
    woken = time.monotonic()
    eventually("the old leader knows", lambda: "lost_leadership" in leader.log.read_text())
    application.wait_for_all("SUCCESS", MAILS)
    trial.note("the truth is written", time.monotonic() - woken, 5)

    assert worker.stop(timeout=20) == 0
    books = trial.balance(
        "worker and leader paused past their leases",
        remarks=[f"{expired} were ERROR until the worker woke"],
    )
    assert books.states == {"SUCCESS": MAILS}

"""METRICS_PORT of real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil

from local import ports
from tests.support.application import ROOT, Application, eventually
from tests.support.asking import asked
from tests.support.sink import Script, Sink


def test_what_a_mail_leaves_behind(application: Application, sink: Sink) -> None:
    """One mail taken and one refused are counted by both processes; both are well and ready."""
    sink.script = Script(rcpt={"recipient1@example.com": "550 5.1.1 no such user"})
    watcher = asked(application.watcher(METRICS_PORT="0"))
    worker = asked(application.worker(METRICS_PORT="0"))

    taken, refused = application.insert(2)
    application.wait_for(taken, "SUCCESS")
    application.wait_for(refused, "ERROR")

    for process in (watcher, worker):
        assert process.says("/healthz") == (200, {"status": "ok"})
        assert process.says("/readyz") == (200, {"status": "ok"})
    assert watcher.sample("mailtrigger_leader") == 1
    assert watcher.sample("mailtrigger_stream_events_total") == 2
    assert watcher.sample("mailtrigger_queue_messages", priority="normal") is not None
    assert worker.sample("mailtrigger_mails_total", outcome="success") == 1
    assert worker.sample("mailtrigger_mails_total", outcome="error") == 1
    attempts = {"transport": "default"}
    assert worker.sample("mailtrigger_attempts_total", answer="accepted", **attempts) == 1
    assert worker.sample("mailtrigger_attempts_total", answer="refused", **attempts) == 1
    assert worker.sample("mailtrigger_queue_seconds_count") == 2
    assert (worker.sample("mailtrigger_smtp_seconds_count", stage="connect") or 0) >= 1
    assert worker.sample("mailtrigger_smtp_seconds_count", stage="data") == 1
    assert (worker.sample("mailtrigger_batch_mails_sum", priority="normal") or 0) >= 2
    assert (worker.sample("process_resident_memory_bytes") or 0) > 0


def test_the_backlog_is_counted(application: Application) -> None:
    """By state and priority, in the watcher that leads."""
    watcher = asked(application.watcher(METRICS_PORT="0"))
    application.insert(3, priority="high")
    application.insert(2)

    def counted() -> bool:
        labels = {"state": "PENDING"}
        high = watcher.sample("mailtrigger_backlog_mails", priority="high", **labels)
        return (
            high == 3
            and watcher.sample("mailtrigger_backlog_mails", priority="normal", **labels) == 2
        )

    eventually("the census", counted, 40)


def test_processes_share_a_range_of_ports(application: Application) -> None:
    """Each takes the first that is free; who finds none says so, and works all the same."""
    first = ports.free()
    both = f"{first}-{first + 1}"
    leader = asked(application.watcher(METRICS_PORT=both))
    standby_server = application.watcher(METRICS_PORT=both)
    standby = asked(standby_server)
    third = application.watcher(METRICS_PORT=both)

    assert leader.port < standby.port <= first + 1
    assert "metrics.not_served" in third.log.read_text()
    assert third.returncode is None
    eventually("standing by is ready", lambda: standby.says("/readyz")[0] == 200)
    assert standby.sample("mailtrigger_leader") == 0


def test_children_of_a_prefork_worker_are_counted_together(application: Application) -> None:
    """Their parent serves what all of them have done, also those that have ended."""
    application.watcher()
    server = application.worker(
        METRICS_PORT="0", WORKER_POOL="prefork", WORKER_CONCURRENCY="2", BATCH_SIZE="1"
    )
    worker = asked(server)

    application.insert(20)
    application.wait_for_all("SUCCESS", 20)

    assert worker.sample("mailtrigger_mails_total", outcome="success") == 20
    server.signal(signal.SIGTERM)
    assert server.wait(30)


def test_nobody_listens_without_the_setting(application: Application) -> None:
    """Off is off."""
    server = application.watcher()

    found = psutil.Process(server.pid).net_connections("tcp")
    assert [each for each in found if each.status == psutil.CONN_LISTEN] == []


def test_nothing_of_it_is_loaded_without_the_setting() -> None:
    """Off is free: a process has not even read the library."""
    code = "import sys, tasks.send, tasks.lifecycle, watcher.service; print(*sys.modules)"
    variables = {
        "MONGODB_URI": "mongodb://127.0.0.1",
        "CELERY_BROKER_URL": "redis://127.0.0.1",
        "SMTP_CONNECTION_URI": "smtp://127.0.0.1",
        "DEFAULT_FROM": "a@example.com",
    }
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "tasks.observing.http" in loaded
    assert "prometheus_client" not in loaded

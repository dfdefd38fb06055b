"""A wedged process ends and says why; one that waits for a server does not."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from local.processes import Server
from tasks.observing.watchdog import EXIT_CODE
from tests.support import own_servers
from tests.support.application import Application, eventually
from tests.support.asking import Asked, asked
from tests.support.failpoint import failing


#: Milliseconds for which mongod says nothing to one command; longer than any limit here.
_LONG = 15_000


def _ends(server: Server, process: Asked, what: str) -> None:
    def says_so() -> bool:
        status, body = process.says("/healthz")
        return status == 503 and any(each.startswith(what) for each in body["late"])

    eventually(f"/healthz names {what}", says_so, 40)
    assert server.wait(20), server.last_lines()
    assert server.returncode == EXIT_CODE
    log = server.log.read_text()
    [line] = [each for each in log.splitlines() if '"watchdog.exits"' in each]
    assert json.loads(line)["late"][0].startswith(what)
    assert "most recent call first" in log  # where each thread hangs


def test_a_watcher_whose_stream_hangs_ends(
    patient: Application, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """MongoDB answers others, but not the stream, and no time-out ends the wait."""
    hangs = {"blockConnection": True, "blockTimeMS": _LONG, "appName": "mailtrigger-watcher"}
    with failing(mongo_client, "getMore", times=1, **hangs):
        server = patient.watcher(METRICS_PORT="0", WATCHDOG_SECONDS="4")
        _ends(server, asked(server), "stream")


def test_a_worker_whose_batch_hangs_ends(
    patient: Application, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """A thread that does not come back for longer than the lease; another worker has the mail."""
    patient.watcher()
    hangs = {"blockConnection": True, "blockTimeMS": _LONG, "appName": "mailtrigger-worker"}
    options = {"WATCHDOG_SECONDS": "2", "LEASE_SECONDS": "5"}
    with failing(mongo_client, "findAndModify", times=1, **hangs):
        server = patient.worker(METRICS_PORT="0", **options)
        [id] = patient.insert(1)
        _ends(server, asked(server), "batch")
    patient.worker(**options)

    patient.wait_for(id, "SUCCESS", seconds=30)


def test_an_outage_of_mongodb_ends_nobody(application: Application, tmp_path: Path) -> None:
    """Silent for longer than the limit, it is waited for; and then everything goes on."""
    with own_servers.replica_set(tmp_path / "own") as own:
        variables = {"MONGODB_URI": own.uri, "WATCHDOG_SECONDS": "1", "METRICS_PORT": "0"}
        watcher = application.watcher(**variables)
        process = asked(watcher)
        own.only.signal(signal.SIGSTOP)
        eventually("late, and forgiven", lambda: "watchdog.forgives" in watcher.log.read_text(), 30)
        assert process.says("/healthz")[0] == 200
        eventually("it is not ready", lambda: process.says("/readyz")[0] == 503)
        own.only.signal(signal.SIGCONT)

        eventually("it is ready again", lambda: process.says("/readyz")[0] == 200, 40)
        assert watcher.returncode is None


def test_a_process_that_was_stopped_goes_on(application: Application) -> None:
    """SIGSTOP for longer than the limit is no wedge: time counts while the watchdog runs."""
    server = application.watcher(METRICS_PORT="0", WATCHDOG_SECONDS="1")
    process = asked(server)

    server.signal(signal.SIGSTOP)
    eventually("stopped", lambda: _state(server) == "T")
    assert not server.wait(2.5)
    server.signal(signal.SIGCONT)

    assert not server.wait(2)
    assert process.says("/healthz") == (200, {"status": "ok"})


def _state(server: Server) -> str:
    status = Path(f"/proc/{server.pid}/stat").read_text(encoding="ascii")
    return status.rpartition(")")[2].split()[0]

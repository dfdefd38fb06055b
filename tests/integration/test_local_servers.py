"""The embedded mongod and Redis-compatible server, as `make run` and every other test use them."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from pymongo import MongoClient
from pymongo.database import Database

from config.settings import Settings
from local import broker, mongo, ports
from local.processes import Server, StartError


def test_change_streams_work(database: Database[dict[str, Any]]) -> None:
    """The embedded mongod is a replica set: an insert arrives in a change stream."""
    with database["mail"].watch() as stream:
        database["mail"].insert_one({"_id": 1})

        assert stream.next()["documentKey"] == {"_id": 1}


def test_settings_name_the_servers(settings: Settings, database: Database[dict[str, Any]]) -> None:
    """The `settings` fixture leads to this test's own database and broker."""
    assert settings.database == database.name
    with redis.Redis.from_url(settings.celery_broker_url.get_secret_value()) as client:
        assert client.ping()


def test_broker_never_evicts_and_persists(broker_url: str) -> None:
    """The broker keeps every message: append-only file on, no eviction."""
    with redis.Redis.from_url(broker_url, decode_responses=True) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_listens_on_loopback_only(
    mongod: Server, mongod_port: int, broker: Server, broker_port: int
) -> None:
    """Nobody outside this machine reaches the embedded servers."""
    for server, port in ((mongod, mongod_port), (broker, broker_port)):
        listening = [
            connection.laddr
            for connection in psutil.Process(server.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]

        assert listening == [("127.0.0.1", port)]


def test_mongod_moves_to_another_port(tmp_path: Path) -> None:
    """Data of an earlier run are there again, also when the port of that run is taken now."""
    for expected in (0, 1):
        port = ports.free()
        server = _mongod(tmp_path, port)
        server.start()
        try:
            mongo.initiate([port])
            with MongoClient[dict[str, Any]](mongo.uri([port])) as client:
                assert client["db"]["mail"].count_documents({}) == expected
                client["db"]["mail"].insert_one({})
        finally:
            code = server.stop()

        assert code == 0


def test_broker_keeps_its_data(tmp_path: Path) -> None:
    """Messages survive a restart of the broker."""
    program = broker.find_program()
    assert program is not None
    for expected in (None, b"message"):
        port = ports.free()
        server = broker.server(program, port=port, directory=tmp_path / "d", log=tmp_path / "log")
        server.start()
        try:
            with redis.Redis.from_url(broker.url(port)) as client:
                assert client.get("key") == expected
                client.set("key", "message")
        finally:
            server.stop()


def test_failed_start_quotes_the_log(tmp_path: Path) -> None:
    """A server that does not come up says why, in its own words."""
    server = Server(
        name="broken",
        command=[sys.executable, "-c", "raise SystemExit('the reason')"],
        log=tmp_path / "log",
        ready=lambda _pid: False,
    )

    with pytest.raises(StartError, match=r"broken ended at once with exit code 1[^$]*the reason"):
        server.start()


def test_start_that_hangs_is_ended(tmp_path: Path) -> None:
    """A server that never answers is killed after the time allowed, and the error says so."""
    server = Server(
        name="silent",
        command=[sys.executable, "-c", "import time; time.sleep(60)"],
        log=tmp_path / "log",
        ready=lambda _pid: False,
    )

    with pytest.raises(StartError, match=r"did not answer within 0\.1 seconds"):
        server.start(timeout=0.1)

    assert server.returncode == -signal.SIGKILL


def test_server_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """Stopping always ends the process."""
    ready = tmp_path / "ready"
    program = f"""
        import pathlib, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pathlib.Path({str(ready)!r}).touch()
        time.sleep(60)
    """
    server = Server(
        name="stubborn",
        command=[sys.executable, "-c", textwrap.dedent(program)],
        log=tmp_path / "log",
        ready=lambda _pid: ready.exists(),
    )
    server.start()

    assert server.stop(timeout=0.1) == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(PR_SET_PDEATHSIG) is Linux's")
def test_server_dies_with_its_parent(tmp_path: Path) -> None:
    """A server does not outlive the process that started it, even one killed by SIGKILL."""
    parent = f"""
        import pathlib, time
        from local.processes import Server
        log = pathlib.Path({str(tmp_path / "log")!r})
        server = Server("child", ["sleep", "60"], log, ready=lambda _pid: True)
        server.start()
        print(server.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(parent)], stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        process.kill()

    _gone, alive = psutil.wait_procs([child], timeout=5)
    assert alive == []


def _mongod(directory: Path, port: int) -> Server:
    program = mongo.find_program()
    assert program is not None
    return mongo.member(program, port=port, directory=directory / "data", log=directory / "log")

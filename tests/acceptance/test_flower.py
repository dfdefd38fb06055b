"""Flower, started as the Procfile does."""

from __future__ import annotations

import base64
import os
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from config.settings import Settings
from local import ports
from local.processes import Server


ROOT = Path(__file__).parents[2]


def _command(*options: str) -> list[str]:
    procfile = ROOT.joinpath("Procfile").read_text(encoding="utf-8")
    lines = dict(line.split(": ", 1) for line in procfile.splitlines())
    return [sys.executable, *shlex.split(lines["flower"])[1:], *options]


def _environment(settings: Settings, **variables: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "MONGODB_URI": settings.mongodb_uri.get_secret_value(),
        "CELERY_BROKER_URL": settings.celery_broker_url.get_secret_value(),
        "BROKER_PREFIX": settings.broker_prefix,
        "SMTP_CONNECTION_URI": "smtp://127.0.0.1:1",
        "DEFAULT_FROM": settings.default_from,
        **variables,
    }


def _status(port: int, path: str, credentials: str | None = None) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if credentials:
        encoded = base64.b64encode(credentials.encode()).decode()
        request.add_header("Authorization", f"Basic {encoded}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _addresses(server: Server) -> set[str]:
    assert server.pid is not None
    connections = psutil.Process(server.pid).net_connections(kind="tcp")
    return {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}


def _start(settings: Settings, log: Path, **variables: str) -> tuple[Server, int]:
    port = ports.free()
    server = Server(
        name="flower",
        command=_command(),
        log=log,
        ready=lambda _: ports.accepts(port),
        environment=_environment(settings, FLOWER_PORT=str(port), **variables),
        directory=ROOT,
    )
    server.start()
    return server, port


def test_on_loopback_without_credentials(settings: Settings, tmp_path: Path) -> None:
    """As in `make run`: the pages are there for this machine only; the API stays closed."""
    server, port = _start(settings, tmp_path / "log")
    try:
        assert _addresses(server) == {"127.0.0.1"}
        assert _status(port, "/") == 200
        assert _status(port, "/api/workers") == 401
    finally:
        server.kill()


def test_on_every_address_with_credentials(settings: Settings, tmp_path: Path) -> None:
    """As in docker-compose.yml: whoever comes must show the credentials."""
    variables = {"FLOWER_ADDRESS": "0.0.0.0", "FLOWER_BASIC_AUTH": "ops:right"}
    server, port = _start(settings, tmp_path / "log", **variables)
    try:
        assert _addresses(server) == {"0.0.0.0"}
        assert _status(port, "/") == 401
        assert _status(port, "/", "ops:wrong") == 401
        assert _status(port, "/", "ops:right") == 200
    finally:
        server.kill()


@pytest.mark.parametrize("options", [[], ["--address=0.0.0.0"]])
def test_on_every_address_without_credentials(settings: Settings, options: list[str]) -> None:
    """Refused with one line, whether the address stands in the environment or the command."""
    variables = {} if options else {"FLOWER_ADDRESS": "0.0.0.0"}
    ended = subprocess.run(
        _command(*options),
        cwd=ROOT,
        env=_environment(settings, **variables),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    [line] = ended.stderr.splitlines()
    assert line.startswith("FLOWER_ADDRESS: 0.0.0.0 can be reached from other machines")
    assert ended.returncode == 78

"""Every process, started with settings that cannot work, says so and ends at once."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
PROCESSES = {
    "watcher": ["-m", "watcher"],
    "setup": ["-m", "tasks", "setup"],
    "worker": ["-m", "celery", "-A", "tasks", "worker"],
    "flower": ["-m", "celery", "-A", "tasks", "flower"],
    "console": ["-m", "console"],
    "config": ["-m", "config"],
}
BAD = {
    "MONGODB_URI": "mongodb://user:hid/den@127.0.0.1/",
    "CELERY_BROKER_URL": "amqp://user:hidden@127.0.0.1/",
    "SMTP_CONNECTION_URL": "smtp://user:hidden@127.0.0.1",
    "DEFAULT_FROM": "sender@example.com",
    "BATCH_SIZE": "hidden",
    "TLS_OPTIONS": "{hidden}",
}


@pytest.mark.parametrize("process", PROCESSES)
def test_bad_settings(process: str, tmp_path: Path) -> None:
    """One line per problem on stderr, exit code 78, no traceback, no secret, no server asked."""
    used = _cpu_seconds()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, *PROCESSES[process]],
        cwd=tmp_path,
        env={**environment, **BAD},
        capture_output=True,
        text=True,
        timeout=300,  # a machine may have other work
        check=False,
    )

    lines = ended.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "MONGODB_URI",
        "CELERY_BROKER_URL",
        "SMTP_CONNECTION_URI",
        "TLS_OPTIONS",
        "BATCH_SIZE",
    ], ended.stderr
    assert "did you mean SMTP_CONNECTION_URI?" in lines[2]
    assert "hid" not in ended.stderr + ended.stdout
    assert "den" not in ended.stderr.replace("identif", "")
    assert ended.stdout == ""
    assert ended.returncode == 78
    # Fast enough for a person, when a core is free.
    assert _cpu_seconds() - used < 10


def _cpu_seconds() -> float:
    """Tell what the processes that have ended used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime

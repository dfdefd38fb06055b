"""`python -m config`, as a person or a program runs it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from config.settings import Settings


ROOT = Path(__file__).parents[2]


def _environment(settings: Settings, directory: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "PYTHONPATH": str(ROOT),
        "MONGODB_URI": settings.mongodb_uri.get_secret_value(),
        "CELERY_BROKER_URL": settings.celery_broker_url.get_secret_value(),
        "SMTP_CONNECTION_URI": "smtp://me:hidden@127.0.0.1:1",
        "DEFAULT_FROM": "Sender <sender@example.com>",
    }


def _config(settings: Settings, directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config", *options],
        cwd=directory,
        env=_environment(settings, directory),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_one_server_does_not_answer(settings: Settings, tmp_path: Path) -> None:
    """Each server's answer is a line; one that fails makes the exit code 1."""
    ended = _config(settings, tmp_path)

    checks = [line for line in ended.stdout.splitlines() if line.startswith("# ")]
    assert ended.returncode == 1
    assert any(line.startswith("# ✓ MongoDB: answers") for line in checks)
    assert any(line.startswith("# ✓ Broker: answers") for line in checks)
    assert any(line.startswith("# ✗ SMTP server: ") for line in checks)
    assert "hidden" not in ended.stdout + ended.stderr


def test_output_in_a_pipe_is_an_env_file(settings: Settings, tmp_path: Path) -> None:
    """NAME=value for every setting; offline, no server is asked."""
    ended = _config(settings, tmp_path, "--offline")

    lines = ended.stdout.splitlines()
    assert ended.returncode == 0
    assert [line.split("=")[0] for line in lines] == [
        name.upper() for name in Settings.model_fields
    ]
    assert "DEFAULT_FROM=Sender <sender@example.com>" in lines


def test_json(settings: Settings, tmp_path: Path) -> None:
    """--json is for programs: the same, in one object."""
    tmp_path.joinpath(".env").write_text("BATCH_SIZE=9\nLEASE_SECOND=9\n")

    ended = _config(settings, tmp_path, "--json")
    report = json.loads(ended.stdout)

    assert report["settings"]["BATCH_SIZE"] == {"value": "9", "from": ".env"}
    assert {check["subject"]: check["level"] for check in report["checks"]} == {
        "MongoDB": "ok",
        "Broker": "ok",
        "SMTP server": "failed",
    }
    assert "LEASE_SECOND is set, but no such setting exists: LEASE_SECONDS?" in ended.stderr


def test_table_at_a_terminal(settings: Settings, tmp_path: Path) -> None:
    """A person sees a table that says where each value comes from."""
    leader, follower = pty.openpty()
    try:
        process = subprocess.run(
            [sys.executable, "-m", "config", "--offline"],
            cwd=tmp_path,
            env={**_environment(settings, tmp_path), "TERM": "xterm", "COLUMNS": "200"},
            stdout=follower,
            timeout=30,
            check=False,
        )
        shown = os.read(leader, 65_536).decode()
    finally:
        os.close(leader)
        os.close(follower)

    assert process.returncode == 0
    assert "Variable" in shown
    assert "environment" in shown
    assert "hidden" not in shown

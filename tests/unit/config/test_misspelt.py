"""A limit under a misspelt name would not hold, and nobody would know."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


ROOT = Path(__file__).parents[3]
NEEDED = {
    "MONGODB_URI": "mongodb://127.0.0.1/?replicaSet=rs0",
    "CELERY_BROKER_URL": "redis://127.0.0.1:6379/0",
    "SMTP_CONNECTION_URI": "smtp://127.0.0.1:2525",
    "DEFAULT_FROM": "sender@example.com",
}


def test_every_process_names_what_looks_misspelt(tmp_path: Path) -> None:
    """One line on stderr, however often the settings are read; the process goes on."""
    misspelt = {"RATE_LIMT": "1/second", "MAX_ATEMPTS": "5"}
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "from config.settings import load_or_exit; load_or_exit(); load_or_exit()",
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **NEEDED, **misspelt},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.splitlines() == [
        "MAX_ATEMPTS is set, but no such setting exists: MAX_ATTEMPTS?",
        "RATE_LIMT is set, but no such setting exists: RATE_LIMIT?",
    ]

"""What the processes import is what requirements.txt installs, and nothing from development."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
PRODUCTION = (
    "tasks.send, tasks.__main__, watcher.service, config.__main__, console.__main__,"
    " kombu.transport.redis"
)
LOCAL = f"{PRODUCTION}, local.__main__, local.procfile, local.inbox.__main__, flower.command"

_NAME = re.compile(r"([A-Za-z0-9._-]+)(?:\[([a-z, ]+)\])?")
_EXTRA = re.compile(r"""extra == ["']([a-z]+)["']""")

#: Refuses to import the modules named by the arguments, as if they were not installed.
_WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
absent = set(sys.argv[1:])
sys.meta_path.insert(0, Absent())
"""

_SETTINGS = {
    "MONGODB_URI": "mongodb://127.0.0.1",
    "CELERY_BROKER_URL": "redis://127.0.0.1",
    "SMTP_CONNECTION_URI": "smtp://127.0.0.1",
    "DEFAULT_FROM": "a@example.com",
}


@pytest.mark.parametrize(
    ("modules", "requirements"),
    [
        (PRODUCTION, ["requirements.txt"]),
        (LOCAL, ["requirements.txt", "requirements-local.txt"]),
    ],
    ids=["production", "local"],
)
def test_every_import_is_required(modules: str, requirements: list[str]) -> None:
    """A module that only a development tool brings along is missing on a user's machine."""
    installed = _closure(line for file in requirements for line in _lines(ROOT / file))
    owners = importlib.metadata.packages_distributions()
    absent = [
        module
        for module, distributions in owners.items()
        if not {_plain(each) for each in distributions} & installed
    ]

    result = subprocess.run(
        [sys.executable, "-c", f"{_WITHOUT}\nimport {modules}", *absent],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **_SETTINGS},
        text=True,
    )

    assert "pytest" in absent
    assert result.stderr == ""


def _lines(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and line[0] not in "-#"]


def _closure(requirements: Iterable[str]) -> set[str]:
    """The distributions named, and all they declare to need, extras included."""
    found: set[str] = set()
    waiting = list(requirements)
    while waiting:
        match = _NAME.match(waiting.pop())
        assert match is not None
        name, extras = _plain(match[1]), set((match[2] or "").replace(" ", "").split(","))
        if name in found and extras == {""}:
            continue
        found.add(name)
        try:
            declared = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        for line in declared:
            extra = _EXTRA.search(line)
            if extra is None or extra[1] in extras:
                waiting.append(line)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

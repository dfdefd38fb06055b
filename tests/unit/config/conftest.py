"""Settings read from an environment and a working directory that hold nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import settings
from config.errors import BadSettings
from config.settings import Settings


NEEDED = {
    "MONGODB_URI": "mongodb://127.0.0.1:27017/?replicaSet=rs0",
    "CELERY_BROKER_URL": "redis://127.0.0.1:6379/0",
    "SMTP_CONNECTION_URI": "smtp://127.0.0.1:1025",
    "DEFAULT_FROM": "sender@example.com",
}

Read = Callable[..., Settings]
Problems = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory; nothing read before it is remembered after it."""
    monkeypatch.chdir(tmp_path)
    settings.load.cache_clear()
    yield tmp_path
    settings.load.cache_clear()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read the settings from the needed variables and these; an empty one counts as not set."""

    def load(**variables: str) -> Settings:
        for name, value in {**NEEDED, **variables}.items():
            monkeypatch.setenv(name, value)
        settings.load.cache_clear()
        return settings.load()

    return load


@pytest.fixture
def problems(read: Read) -> Problems:
    """The lines that tell what is wrong with these variables."""

    def lines(**variables: str) -> list[str]:
        with pytest.raises(BadSettings) as caught:
            read(**variables)
        return caught.value.problems

    return lines

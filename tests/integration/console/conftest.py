"""A console without a password, on a test's own collection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from config import mongo
from config.settings import Settings
from tasks.delivery import indexes
from tests.support import console
from tests.support.console import Browser, Console


@pytest.fixture
def mails(
    mongo_client: MongoClient[dict[str, Any]], settings: Settings
) -> Collection[dict[str, Any]]:
    """The collection, with its indexes."""
    collection = mongo.mail_collection(mongo_client, settings)
    indexes.ensure(collection)
    return collection


@pytest.fixture
def running(
    settings: Settings,
    mails: Collection[dict[str, Any]],  # noqa: ARG001 - its indexes
    tmp_path: Path,
) -> Iterator[Console]:
    """The console."""
    with console.running(settings, tmp_path / "console.log") as started:
        yield started


@pytest.fixture
def browser(running: Console) -> Browser:
    """A browser with a session."""
    return running.browser().begin()

"""A console without a password, shared by these tests, on a collection that each finds empty."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.collection import Collection

from config import mongo
from config.settings import Settings
from tasks.delivery import indexes
from tests.support import console
from tests.support.console import Browser, Console


Mails = Collection[dict[str, Any]]


@pytest.fixture(scope="session")
def shared(mongodb_uri: str) -> Settings:
    """Settings of the shared console."""
    return Settings(
        _env_file=None,
        mongodb_uri=SecretStr(mongodb_uri),
        mongodb_database=f"test_console_{uuid.uuid4().hex}",
        celery_broker_url=SecretStr("redis://127.0.0.1:1"),
        smtp_connection_uri=SecretStr("smtp://127.0.0.1:1"),
        default_from="sender@example.com",
    )


@pytest.fixture(scope="session")
def collection(mongo_client: MongoClient[dict[str, Any]], shared: Settings) -> Iterator[Mails]:
    """Its collection, with its indexes."""
    mails = mongo.mail_collection(mongo_client, shared)
    indexes.ensure(mails)
    yield mails
    mongo_client.drop_database(shared.database)


@pytest.fixture(scope="session")
def running(
    shared: Settings,
    collection: Mails,  # noqa: ARG001 - its indexes
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Console]:
    """The console."""
    log = tmp_path_factory.mktemp("console") / "log"
    with console.running(shared, log) as started:
        yield started


@pytest.fixture
def mails(collection: Mails) -> Mails:
    """The collection, empty."""
    collection.delete_many({})
    return collection


@pytest.fixture
def browser(running: Console) -> Browser:
    """A browser with a session."""
    return running.browser().begin()

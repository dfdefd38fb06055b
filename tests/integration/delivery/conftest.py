"""The parts of the state machine on a real replica set, by a clock that the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from config import mongo
from config.settings import Settings
from tasks.delivery import indexes
from tasks.delivery.admit import Admission
from tasks.delivery.claim import Claims
from tasks.delivery.sweep import Sweep
from tests.support.clock import SetClock


@pytest.fixture
def worker_client(settings: Settings) -> Iterator[MongoClient[dict[str, Any]]]:
    """A client as a worker makes it."""
    with mongo.connect(settings, role="worker", retry_writes=False) as client:
        yield client


@pytest.fixture
def mails(
    worker_client: MongoClient[dict[str, Any]], settings: Settings
) -> Collection[dict[str, Any]]:
    """The collection, with its indexes."""
    collection = mongo.mail_collection(worker_client, settings)
    indexes.ensure(collection)
    return collection


@pytest.fixture
def clock() -> SetClock:
    """Stands still until the test sets it forward."""
    return SetClock()


@pytest.fixture
def claims(mails: Collection[dict[str, Any]], clock: SetClock) -> Claims:
    """Leases of 60 s."""
    return Claims(mails, clock, 60)


@pytest.fixture
def admission(mails: Collection[dict[str, Any]], clock: SetClock) -> Admission:
    """Of a watcher that has just begun to lead."""
    return Admission(mails, clock, None)


@pytest.fixture
def sweep(mails: Collection[dict[str, Any]], clock: SetClock) -> Sweep:
    """By default an expired lease is an ERROR."""
    return Sweep(mails, clock, None, lease_expired="error")

"""A collection of mails with its indexes."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from config import mongo
from config.settings import Settings
from tasks.delivery import indexes


@pytest.fixture
def mails(
    mongo_client: MongoClient[dict[str, Any]], settings: Settings
) -> Collection[dict[str, Any]]:
    """The collection, as the commands see it."""
    collection = mongo.mail_collection(mongo_client, settings)
    indexes.ensure(collection)
    return collection

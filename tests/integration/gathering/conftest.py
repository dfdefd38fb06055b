"""Collections to gather from."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.database import Database

from config.mongo import CODEC


@pytest.fixture
def users(database: Database[dict[str, Any]]) -> Collection[dict[str, Any]]:
    """Users, read as a worker reads them."""
    return database.get_collection("users", codec_options=CODEC)

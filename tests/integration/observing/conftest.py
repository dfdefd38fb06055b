"""The application, and what its processes say when they are asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo.database import Database

from config.settings import Settings
from tests.support.application import Application
from tests.support.sink import Sink


@pytest.fixture
def patient(
    settings: Settings, sink: Sink, database: Database[dict[str, Any]], tmp_path: Path
) -> Iterator[Application]:
    """Processes that wait for MongoDB without end: their driver has no time-out."""
    uri = settings.mongodb_uri.get_secret_value()
    ours = settings.model_copy(
        update={
            "mongodb_uri": SecretStr(f"{uri}&socketTimeoutMS=0"),
            "smtp_connection_uri": SecretStr(sink.uri),
        }
    )
    with Application(ours, database, tmp_path) as running:
        yield running

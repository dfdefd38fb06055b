"""The processes on a test's own database, sending to a server that counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo.database import Database

from config.settings import Settings
from tests.chaos.trial import Record, Trial
from tests.support.application import Application
from tests.support.history import History
from tests.support.own_servers import Broker, broker
from tests.support.sink import Script, Sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Slow enough that whatever is killed has mails in hand."""
    with Sink(script=Script(delay=0.005)) as running:
        yield running


@pytest.fixture
def application(
    settings: Settings, sink: Sink, database: Database[dict[str, Any]], tmp_path: Path
) -> Iterator[Application]:
    """Processes that send to `sink`."""
    ours = settings.model_copy(update={"smtp_connection_uri": SecretStr(sink.uri)})
    with Application(ours, database, tmp_path) as running:
        yield running


@pytest.fixture
def history(application: Application) -> Iterator[History]:
    """All that happens to the mails."""
    with History(application.mails) as recording:
        yield recording


@pytest.fixture
def trial(
    application: Application,
    sink: Sink,
    history: History,
    record_property: Record,
) -> Trial:
    """The fault that a test does to `application`."""
    return Trial(application, sink, history, record_property)


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker of this test's own."""
    with broker(tmp_path) as running:
        yield running

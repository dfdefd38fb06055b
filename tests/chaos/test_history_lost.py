"""The watcher's place in the change stream is lost while mails wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import Binary
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from config.settings import Settings
from tests.chaos.transitions import HELD_BACK
from tests.chaos.trial import Record, Trial
from tests.support.application import Application, eventually
from tests.support.history import History
from tests.support.own_servers import ReplicaSet, replica_set
from tests.support.sink import Sink


MAILS = 600
SWEEP = 1.0
SETTINGS = {"SWEEP_SECONDS": str(SWEEP), "WORKER_CONCURRENCY": "8"}
#: ChangeStreamHistoryLost.
HISTORY_LOST = 286


@pytest.fixture(scope="module")
def short_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    """One member, whose oplog holds 1 MB."""
    with replica_set(tmp_path_factory.mktemp("short-memory"), oplog_mb=1) as running:
        yield running


@pytest.fixture
def client(short_memory: ReplicaSet) -> Iterator[MongoClient[dict[str, Any]]]:
    """A client of it."""
    with MongoClient[dict[str, Any]](short_memory.uri, tz_aware=True) as connected:
        yield connected


@pytest.fixture
def trial(
    settings: Settings,
    short_memory: ReplicaSet,
    client: MongoClient[dict[str, Any]],
    sink: Sink,
    tmp_path: Path,
    record_property: Record,
) -> Iterator[Trial]:
    """The processes on that server."""
    ours = settings.model_copy(
        update={
            "mongodb_uri": SecretStr(short_memory.uri),
            "smtp_connection_uri": SecretStr(sink.uri),
        }
    )
    with (
        Application(ours, client[settings.database], tmp_path) as application,
        History(application.mails) as history,
    ):
        yield Trial(application, sink, history, record_property)


@pytest.mark.parametrize("how", ["history gone", "token deleted"])
def test_nothing_is_lost(trial: Trial, how: str) -> None:
    """Inserted, and asked for by RETRY, while no watcher ran, and the oplog has forgotten it, or
    the token is gone: the next watcher finds all of it."""
    application = trial.application
    worker = application.worker(**SETTINGS)
    first = application.watcher(**SETTINGS)
    [held] = application.insert_numbered([0], delivery={"state": HELD_BACK})
    application.insert_numbered(range(1, MAILS // 2), delivery={"state": HELD_BACK})
    application.insert_numbered(range(MAILS // 2, MAILS // 2 + 1))
    application.wait_for_all("SUCCESS", 1)
    assert first.stop() == 0
    assert application.delivery(held)["state"] == HELD_BACK

    application.insert_numbered(range(MAILS // 2 + 1, MAILS))
    application.mails.update_many(
        {"delivery.state": HELD_BACK}, {"$set": {"delivery.state": "RETRY"}}
    )
    trial.history.catch_up()
    if how == "history gone":
        eventually("the oplog has forgotten it", lambda: _overrun(application), 60)
    else:
        _leader(application).update_one({"_id": "leader"}, {"$unset": {"token": ""}})
    second = application.watcher(**SETTINGS)
    leads = time.monotonic()
    found = {"delivery.state": {"$nin": [None, "RETRY"]}}
    eventually("all found", lambda: application.mails.count_documents(found) == MAILS, 30)
    trial.note("all are found", time.monotonic() - leads, SWEEP + 5)
    trial.wait_until_settled()

    assert ("watcher.history_lost" in second.log.read_text()) == (how == "history gone")
    assert worker.returncode is None
    states = trial.balance(f"resume token lost: {how}").states
    assert states == {"SUCCESS": MAILS}


def _leader(application: Application) -> Any:
    return application.mails.database[f"{application.mails.name}.watcher"]


def _overrun(application: Application) -> bool:
    """Write until the saved token is older than the oplog."""
    filler = application.mails.database["filler"]
    filler.insert_many([{"x": Binary(b"x" * 200_000)} for _ in range(10)])
    token = _leader(application).find_one({"_id": "leader"})["token"]
    try:
        application.mails.watch(start_after=token).close()
    except OperationFailure as error:
        if error.code == HISTORY_LOST:
            return True
        raise
    return False

"""A replica set of three loses its primary while mails are on their way."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, BulkWriteError

from config.settings import Settings
from local.processes import Server
from tests.chaos.trial import Record, Trial
from tests.support.application import Application, eventually, mail
from tests.support.history import History
from tests.support.own_servers import ReplicaSet, replica_set
from tests.support.sink import Script, Sink


MAILS = 600
#: What operators are promised: a fail-over takes 11 to 21 s.
FAILOVER = 21.0
SETTINGS = {"SWEEP_SECONDS": "1", "WORKER_CONCURRENCY": "4"}


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    """Three members."""
    with replica_set(tmp_path_factory.mktemp("replica-set"), members=3) as running:
        yield running


@pytest.fixture
def client(members: ReplicaSet) -> Iterator[MongoClient[dict[str, Any]]]:
    """A client that follows the primary."""
    with MongoClient[dict[str, Any]](members.uri, tz_aware=True) as connected:
        yield connected


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Slow enough that the primary goes while mails are in hand."""
    with Sink(script=Script(delay=0.02)) as running:
        yield running


@pytest.fixture
def trial(
    settings: Settings,
    members: ReplicaSet,
    client: MongoClient[dict[str, Any]],
    sink: Sink,
    tmp_path: Path,
    record_property: Record,
) -> Iterator[Trial]:
    """The processes on that set."""
    ours = settings.model_copy(
        update={
            "mongodb_uri": SecretStr(members.uri),
            "smtp_connection_uri": SecretStr(sink.uri),
        }
    )
    with (
        Application(ours, client[settings.database], tmp_path) as application,
        History(application.mails) as history,
    ):
        yield Trial(application, sink, history, record_property)


@pytest.mark.parametrize("how", ["stepped down", "killed", "frozen"])
def test_no_mail_is_lost_or_doubled(
    trial: Trial, members: ReplicaSet, client: MongoClient[dict[str, Any]], how: str
) -> None:
    """Watcher and worker go on with the next primary; every mail is sent exactly once."""
    application = trial.application
    watcher, worker = application.watcher(**SETTINGS), application.worker(**SETTINGS)
    documents = [mail(number) for number in range(MAILS)]
    application.mails.insert_many(documents[: MAILS * 2 // 3])
    application.wait_for_all("SUCCESS", 20)

    address = client.primary
    assert address is not None
    primary = members.members[address[1]]
    lost = datetime.now(UTC)
    _lose(primary, client, how)
    eventually("inserts work again", lambda: _insert(application, documents), 60)
    trial.wait_until_settled(90)

    assert watcher.returncode is worker.returncode is None
    _bring_back(primary, how)
    trial.note("mails are sent again", trial.longest_stall(lost), FAILOVER)
    assert trial.balance(f"mongod's primary {how}").states == {"SUCCESS": MAILS}


def _lose(primary: Server, client: MongoClient[dict[str, Any]], how: str) -> None:
    if how == "killed":
        primary.kill()
    elif how == "frozen":
        primary.signal(signal.SIGSTOP)
    else:
        client.admin.command("replSetStepDown", 10, force=True)


def _bring_back(primary: Server, how: str) -> None:
    if how == "killed":
        primary.start()
    elif how == "frozen":
        primary.signal(signal.SIGCONT)


def _insert(application: Application, documents: Sequence[dict[str, Any]]) -> bool:
    """Insert what is not there yet."""
    try:
        there = {document["to"] for document in application.mails.find({}, {"to": 1})}
        missing = [document for document in documents if document["to"] not in there]
        if missing:
            application.mails.insert_many(missing)
    except (AutoReconnect, BulkWriteError):
        return False
    return True

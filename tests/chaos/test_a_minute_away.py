"""MongoDB, Redis and the SMTP server, each gone for a minute: all three in the same minute, each
from an application of its own, because that minute is the longest of all tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.database import Database

from config.settings import Settings
from local.processes import Server
from tasks.delivery.states import State
from tests.chaos.trial import Record, Trial
from tests.support.application import Application, eventually
from tests.support.history import History
from tests.support.own_servers import Broker, ReplicaSet, replica_set
from tests.support.sink import Script, Sink


MINUTE = 60.0
MAILS = 500
#: The longest pause of Celery's worker between two tries to reach Redis.
PAUSE = 30.0
THREADS = 4
SETTINGS = {"SWEEP_SECONDS": "1", "WORKER_CONCURRENCY": str(THREADS), "BATCH_SIZE": "10"}
#: Leases that run out in that minute: MongoDB's return finds them all expired.
SHORT_LEASE = {"LEASE_SECONDS": "10"}
#: Connections are refused for longer than one attempt is worth.
RETRIES = {
    "MAX_ATTEMPTS": "100",
    "RETRY_BASE_SECONDS": "1",
    "RETRY_MAX_SECONDS": "4",
    "CIRCUIT_SECONDS": "5",
}

NOT_SENT = {"delivery.state": {"$ne": State.SUCCESS}}
MakeTrial = Callable[..., Trial]


@pytest.fixture
def own_mongod(tmp_path: Path) -> Iterator[ReplicaSet]:
    """A replica set of one member that may go away."""
    with replica_set(tmp_path) as running:
        yield running


@pytest.fixture
def own_database(own_mongod: ReplicaSet) -> Iterator[Database[dict[str, Any]]]:
    """A database there."""
    with MongoClient[dict[str, Any]](own_mongod.uri, tz_aware=True) as client:
        yield client["minute"]


@pytest.fixture
def another_database(
    mongo_client: MongoClient[dict[str, Any]], database: Database[dict[str, Any]]
) -> Iterator[Database[dict[str, Any]]]:
    """A second database of this test's own."""
    name = f"{database.name}_2"
    yield mongo_client[name]
    mongo_client.drop_database(name)


@pytest.fixture
def make_trial(
    settings: Settings,
    tmp_path: Path,
    record_property: Record,
    own_database: Database[dict[str, Any]],  # noqa: ARG001 - its client outlives the trials
) -> Iterator[MakeTrial]:
    """Make applications of their own, each with a sink."""
    with ExitStack() as stack:

        def make(name: str, database: Database[dict[str, Any]], **changes: object) -> Trial:
            sink = stack.enter_context(Sink(script=Script(delay=0.02)))
            update = {
                "smtp_connection_uri": SecretStr(sink.uri),
                "broker_prefix": f"{settings.broker_prefix}{name}:",
                **changes,
            }
            ours = settings.model_copy(update=update)
            application = Application(ours, database, tmp_path / name)
            stack.enter_context(application)
            history = stack.enter_context(History(application.mails))
            return Trial(application, sink, history, record_property)

        yield make


@pytest.fixture
def without_mongod(
    make_trial: MakeTrial, own_mongod: ReplicaSet, own_database: Database[dict[str, Any]]
) -> Trial:
    """An application on a mongod of its own."""
    return make_trial("mongod", own_database, mongodb_uri=SecretStr(own_mongod.uri))


@pytest.fixture
def without_redis(
    make_trial: MakeTrial, database: Database[dict[str, Any]], own_broker: Broker
) -> Trial:
    """An application on a broker of its own."""
    return make_trial("redis", database, celery_broker_url=SecretStr(own_broker.url))


@pytest.fixture
def without_smtp(make_trial: MakeTrial, another_database: Database[dict[str, Any]]) -> Trial:
    """An application with an SMTP server that will refuse connections."""
    return make_trial("smtp", another_database)


def test_a_minute_away(
    without_mongod: Trial,
    without_redis: Trial,
    without_smtp: Trial,
    own_mongod: ReplicaSet,
    own_broker: Broker,
) -> None:
    """Nobody dies; when they are back all mails are sent, once: those in hand when they went, those
    that waited, and those inserted meanwhile."""
    processes = [
        *_start(without_mongod, SETTINGS | SHORT_LEASE),
        *_start(without_redis, SETTINGS),
        *_start(without_smtp, SETTINGS | RETRIES),
    ]
    without_mongod.excuse(processes[1])
    without_mongod.application.insert(MAILS)
    without_redis.application.insert(MAILS // 2)
    without_smtp.application.insert(MAILS // 2)
    trials = (without_mongod, without_redis, without_smtp)
    for trial in trials:
        trial.application.wait_for_all("SUCCESS", 20)

    own_mongod.only.kill()
    own_broker.server.kill()
    without_smtp.sink.script = Script(connect="refuse")
    without_smtp.sink.disconnect()
    gone = time.monotonic()
    for trial in (without_redis, without_smtp):
        trial.application.insert_numbered(range(MAILS // 2, MAILS))
    eventually("a minute is over", lambda: time.monotonic() > gone + MINUTE, MINUTE + 1)
    for trial in (without_redis, without_smtp):
        assert trial.application.mails.count_documents(NOT_SENT) >= MAILS / 2
    own_mongod.only.start()
    own_broker.server.start()
    probes = []
    for trial in trials:
        trial.sink.script = Script()
        probes.append(trial.probe())
    for trial, probe in zip(trials, probes, strict=True):
        trial.note_sent(probe, PAUSE)
        trial.wait_until_settled()

    assert [process.returncode for process in processes] == [None] * 6
    whole = {"SUCCESS": MAILS + 1}
    assert without_mongod.balance("mongod gone for a minute").states == whole
    assert without_redis.balance("Redis gone for a minute").states == whole
    # The mails that were just being sent when the server went, one in each thread at most.
    fault, cut = "SMTP server gone for a minute", r"closed the connection \(after it had the whole"
    assert without_smtp.balance(fault, in_doubt=cut).states["SUCCESS"] >= MAILS + 1 - THREADS


def _start(trial: Trial, settings: dict[str, str]) -> tuple[Server, Server]:
    return trial.application.watcher(**settings), trial.application.worker(**settings)

"""A replica set of three loses its primary while mails are on their way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import AutoReconnect

from config.settings import Settings
from local import mongo, ports
from local.processes import Server
from tests.support.application import Application, eventually, mail
from tests.support.sink import Script, Sink


MAILS = 500


@pytest.fixture
def members(tmp_path: Path) -> Iterator[dict[int, Server]]:
    """Three members by port."""
    program = mongo.find_program()
    assert program is not None
    servers: dict[int, Server] = {}
    try:
        for number in range(3):
            port = ports.free()
            data, log = tmp_path / f"mongod{number}", tmp_path / f"mongod{number}.log"
            servers[port] = mongo.member(program, port=port, directory=data, log=log)
            servers[port].start()
        mongo.initiate(list(servers))
        yield servers
    finally:
        for server in servers.values():
            server.kill()


@pytest.fixture
def client(members: dict[int, Server]) -> Iterator[MongoClient[dict[str, Any]]]:
    """A client that follows the primary."""
    with MongoClient[dict[str, Any]](mongo.uri(list(members)), tz_aware=True) as connected:
        yield connected


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Slow enough that the primary goes while mails are in hand."""
    with Sink(script=Script(delay=0.01)) as running:
        yield running


@pytest.fixture
def application(
    settings: Settings,
    members: dict[int, Server],
    client: MongoClient[dict[str, Any]],
    sink: Sink,
    tmp_path: Path,
) -> Iterator[Application]:
    """The processes on that set."""
    ours = settings.model_copy(
        update={
            "mongodb_uri": SecretStr(mongo.uri(list(members))),
            "smtp_connection_uri": SecretStr(sink.uri),
        }
    )
    with Application(ours, client["failover"], tmp_path) as running:
        yield running


@pytest.mark.parametrize("how", ["stepped down", "killed"])
def test_no_mail_is_lost_or_doubled(
    application: Application,
    members: dict[int, Server],
    client: MongoClient[dict[str, Any]],
    sink: Sink,
    how: str,
) -> None:
    """Watcher and worker go on with the next primary; every mail is sent exactly once."""
    watcher = application.watcher(SWEEP_SECONDS="1")
    worker = application.worker(WORKER_CONCURRENCY="4")
    documents = [mail(number) for number in range(MAILS)]
    application.mails.insert_many(documents[: MAILS // 2])
    application.wait_for_all("SUCCESS", 20)

    _lose_primary(client, members, how)
    eventually("inserts work again", lambda: _insert(application, documents[MAILS // 2 :]), 40)

    application.wait_for_all("SUCCESS", MAILS, seconds=60)
    counts = Counter(message.recipients[0] for message in sink.messages)
    assert len(counts) == MAILS
    assert set(counts.values()) == {1}
    assert watcher.returncode is None
    assert worker.returncode is None


def _lose_primary(
    client: MongoClient[dict[str, Any]], members: dict[int, Server], how: str
) -> None:
    address = client.primary
    assert address is not None
    if how == "killed":
        members[address[1]].kill()
    else:
        client.admin.command("replSetStepDown", 10, force=True)


def _insert(application: Application, documents: list[dict[str, Any]]) -> bool:
    """Insert what is not there yet."""
    there = {document["to"] for document in application.mails.find({}, {"to": 1})}
    missing = [document for document in documents if document["to"] not in there]
    try:
        if missing:
            application.mails.insert_many(missing)
    except AutoReconnect:
        return False
    return True

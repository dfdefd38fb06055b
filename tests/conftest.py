"""What every test may ask for: a real replica set, a real broker, and settings that name them.

The servers run once for each test process (xdist worker), on free ports of 127.0.0.1, with their
data in pytest's temporary directory; each test gets a database and a key prefix of its own.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.database import Database

from config.settings import Settings
from local import broker as redis_compatible
from local import mongo, ports
from local.processes import Server
from tests.support.fault_table import pytest_terminal_summary


__all__ = ["pytest_terminal_summary"]

# The same examples in every run: what fails here fails for everybody, and nothing by chance.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")

#: Nobody listens there: a test that sends says to which server.
NO_SMTP_SERVER = "smtp://127.0.0.1:1"


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """Keep the developer's own settings out of the tests."""
    ours = {name.upper() for name in Settings.model_fields}
    with pytest.MonkeyPatch.context() as patch:
        for variable in list(os.environ):
            if variable.upper() in ours or variable.upper().startswith("SMTP_CONNECTION_URI_"):
                patch.delenv(variable)
        yield


@pytest.fixture(scope="session")
def mongod_port() -> int:
    """Where this test process's mongod listens."""
    return ports.free()


@pytest.fixture(scope="session")
def mongod(mongod_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A replica set of one member, which is primary."""
    program = mongo.find_program()
    assert program is not None, "no mongod: run `make install`, or put one on PATH"
    directory = tmp_path_factory.mktemp("mongod")
    server = mongo.member(
        program,
        port=mongod_port,
        directory=directory / "data",
        log=directory / "mongod.log",
        # Fault injection (configureFailPoint), and expired documents that go at once.
        parameters={"enableTestCommands": "1", "ttlMonitorSleepSecs": "1"},
    )
    server.start()
    try:
        mongo.initiate([mongod_port])
        yield server
    finally:
        server.kill()
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def broker_port() -> int:
    """Where this test process's Redis-compatible server listens."""
    return ports.free()


@pytest.fixture(scope="session")
def broker(broker_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis-compatible server."""
    program = redis_compatible.find_program()
    assert program is not None, "no Redis-compatible server: run `make install`"
    directory = tmp_path_factory.mktemp("broker")
    server = redis_compatible.server(
        program, port=broker_port, directory=directory / "data", log=directory / "broker.log"
    )
    server.start()
    yield server
    server.kill()
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def mongodb_uri(mongod: Server, mongod_port: int) -> str:  # noqa: ARG001 - it must run
    """MONGODB_URI of the replica set."""
    return mongo.uri([mongod_port])


@pytest.fixture(scope="session")
def broker_url(broker: Server, broker_port: int) -> str:  # noqa: ARG001 - it must run
    """CELERY_BROKER_URL of the Redis-compatible server."""
    return redis_compatible.url(broker_port)


@pytest.fixture(scope="session")
def mongo_client(mongodb_uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """A client of the replica set, shared by the tests of this process."""
    with MongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        yield client


@pytest.fixture
def database(mongo_client: MongoClient[dict[str, Any]]) -> Iterator[Database[dict[str, Any]]]:
    """A database of this test's own, dropped at its end."""
    name = f"test_{uuid.uuid4().hex}"
    yield mongo_client[name]
    mongo_client.drop_database(name)


@pytest.fixture
def broker_prefix() -> str:
    """A prefix for this test's own keys in the broker."""
    return f"test-{uuid.uuid4().hex}:"


@pytest.fixture
def settings(
    mongodb_uri: str, database: Database[dict[str, Any]], broker_url: str, broker_prefix: str
) -> Settings:
    """Valid settings of this test's own; change them by `settings.model_copy(update=...)`."""
    return Settings(
        _env_file=None,
        mongodb_uri=SecretStr(mongodb_uri),
        mongodb_database=database.name,
        celery_broker_url=SecretStr(broker_url),
        broker_prefix=broker_prefix,
        smtp_connection_uri=SecretStr(NO_SMTP_SERVER),
        default_from="Mailtrigger <sender@example.com>",
    )

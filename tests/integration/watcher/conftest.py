"""Watchers: one for all tests of a module that do not disturb each other, or one of their own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from config.settings import Settings
from local import broker, ports
from local.processes import Server
from tests.support.application import Application
from tests.support.queue_messages import wait_for_everything_before_now


@pytest.fixture(scope="module")
def watched(
    mongodb_uri: str,
    mongo_client: MongoClient[dict[str, Any]],
    broker_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Application]:
    """A watcher of the whole module; no worker, so the queues keep what it enqueues.

    Its sweep for lost mails is as good as off: what it enqueues, it has seen in the stream.
    """
    settings = Settings(
        _env_file=None,
        mongodb_uri=SecretStr(mongodb_uri),
        mongodb_database=f"test_{uuid.uuid4().hex}",
        celery_broker_url=SecretStr(broker_url),
        broker_prefix=f"test-{uuid.uuid4().hex}:",
        smtp_connection_uri=SecretStr("smtp://127.0.0.1:1"),
        default_from="Mailtrigger <sender@example.com>",
    )
    database = mongo_client[settings.database]
    with Application(settings, database, tmp_path_factory.mktemp("watcher")) as running:
        running.watcher(SWEEP_SECONDS="600")
        # The second is handled after the leader's first sweep, which would find tests' old mails.
        wait_for_everything_before_now(running)
        wait_for_everything_before_now(running)
        yield running
    mongo_client.drop_database(database.name)


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A broker that this test may stop, start and empty."""
    program = broker.find_program()
    assert program is not None, "no Redis-compatible server: run `make install`"
    directory = tmp_path_factory.mktemp("own-broker")
    port = ports.free()
    server = broker.server(program, port=port, directory=directory, log=directory / "log")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def apart(application: Application, own_broker: Server) -> Application:
    """The application on that broker."""
    port = int(own_broker.command[own_broker.command.index("--port") + 1])
    url = SecretStr(broker.url(port))
    application.settings = application.settings.model_copy(update={"celery_broker_url": url})
    application.redis.close()
    application.redis = type(application.redis).from_url(url.get_secret_value())
    return application

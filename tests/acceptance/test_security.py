"""What an attacker, or a careless operator, must not get: the real processes, attacked."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Producer
from pydantic import SecretStr
from pymongo.database import Database

from config.settings import Settings
from tasks.lanes import Lane
from tests.support.application import Application, eventually
from tests.support.sink import Script, Sink


PASSWORD = "correct-horse-battery-staple"
SECRETS = (
    PASSWORD,
    base64.b64encode(PASSWORD.encode()).decode(),
    base64.b64encode(f"\0user\0{PASSWORD}".encode()).decode(),
)
WORDS = "words that only the recipient may read"


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A server that asks for a password."""
    extensions = ("PIPELINING", "8BITMIME", "AUTH PLAIN LOGIN")
    with Sink(script=Script(extensions=extensions)) as running:
        yield running


@pytest.fixture
def application(
    settings: Settings, sink: Sink, database: Database[dict[str, Any]], tmp_path: Path
) -> Iterator[Application]:
    """Processes that know the password, and log all they ever log."""
    uri = sink.uri.replace("smtp://", "smtp://user@")
    ours = settings.model_copy(update={"smtp_connection_uri": SecretStr(uri)})
    with Application(ours, database, tmp_path) as running:
        running.variables = {"SMTP_PASSWORD": PASSWORD, "LOG_LEVEL": "DEBUG"}
        yield running


class _Bomb:
    """What pickle makes a call of."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._path),)


def test_a_pickle_in_the_queue_runs_nothing(application: Application, tmp_path: Path) -> None:
    """Whoever reaches Redis can make workers look at documents, but not run code in them."""
    bomb = tmp_path / "exploded"
    worker = application.worker()
    options = {"global_keyprefix": application.settings.broker_prefix, "priority_steps": [0]}
    url = application.settings.celery_broker_url.get_secret_value()
    with Connection(url, transport_options=options) as connection:
        Producer(connection.channel()).publish(
            [[_Bomb(bomb)], {}, {}],
            routing_key=Lane.NORMAL.queue,
            serializer="pickle",
            headers={"task": "tasks.send", "id": "attack", "lang": "py"},
        )
    eventually("the message was taken", lambda: application.queued() == 0)

    application.watcher()
    [id] = application.insert()

    application.wait_for(id, "SUCCESS")
    assert not bomb.exists()
    assert worker.returncode is None


@pytest.mark.parametrize(
    "trouble",
    [
        Script(auth="535 5.7.8 bad credentials"),
        Script(auth=f"535 5.7.8 no, not {PASSWORD}"),
        Script(rcpt="550 5.1.1 nobody"),
        Script(mail="451 4.3.0 later"),
        Script(after_data="drop"),
        Script(connect="refuse"),
    ],
    ids=["password refused", "password repeated", "rejected", "later", "in doubt", "away"],
)
def test_no_secret_and_no_mail_in_logs_and_errors(
    application: Application, sink: Sink, trouble: Script
) -> None:
    """Whatever goes wrong, at LOG_LEVEL=DEBUG: ids, but no password, address or text."""
    sink.script = Script(**{**vars(trouble), "extensions": sink.script.extensions})
    application.watcher()
    application.worker()
    message = {"subject": WORDS, "text": WORDS}
    ids = application.insert(3, message=message) + application.insert(message=message, to="nobody")
    settled = {"delivery.state": {"$in": ["ERROR", "SUCCESS"]}}
    eventually("settled", lambda: application.mails.count_documents(settled) == len(ids))

    logs = application.logs_whole()
    written = "".join(str(application.delivery(id)) for id in ids)

    assert "batch.done" in logs
    assert [secret for secret in SECRETS if secret in logs + written] == []
    assert WORDS not in logs + written
    assert "recipient0@example.com" not in logs


def test_a_good_password_is_used_and_not_logged(application: Application, sink: Sink) -> None:
    """The mail goes out with it."""
    application.watcher()
    application.worker()
    [id] = application.insert(message={"subject": WORDS, "text": WORDS})

    application.wait_for(id, "SUCCESS")

    assert any(command.startswith("AUTH PLAIN") for command in sink.commands)
    logs = application.logs_whole()
    assert [secret for secret in (*SECRETS, WORDS) if secret in logs] == []

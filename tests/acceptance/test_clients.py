"""examples/clients and docs/clients.md: each program against a running Mailtrigger."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.support import clients
from tests.support.application import ROOT, Application, for_a_module
from tests.support.clients import Client
from tests.support.sink import Script, Sink


PAGE = ROOT / "docs/clients.md"
_SECONDS = 60


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """Takes every mail, until it is told otherwise."""
    with Sink() as running:
        yield running


@pytest.fixture(scope="module")
def running(
    sink: Sink,
    mongodb_uri: str,
    broker_url: str,
    mongo_client: MongoClient[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Application]:
    """One watcher and one worker for all programs."""
    directory = tmp_path_factory.mktemp("clients")
    with for_a_module(sink.uri, mongodb_uri, broker_url, mongo_client, directory) as ours:
        yield ours


@pytest.fixture(scope="module", params=clients.chosen(), ids=lambda client: client.file)
def client(request: pytest.FixtureRequest) -> Client:
    """Each program whose toolchain is here."""
    chosen: Client = request.param
    return chosen


@pytest.fixture(scope="module")
def folder(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with its driver."""
    made = tmp_path_factory.mktemp(client.name)
    client.prepare(made)
    return made


def ended(
    client: Client, folder: Path, running: Application, order: str, **variables: str
) -> tuple[int, str]:
    """Run it; give the exit code and what it printed."""
    done = subprocess.run(
        client.command(folder, order),
        cwd=folder,
        env={**running.environment, **client.variables(order), **variables},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_mail_and_the_same_again(
    client: Client, folder: Path, running: Application, sink: Sink
) -> None:
    """SUCCESS with the server's words; whoever repeats the insert gets no second mail."""
    order, before = uuid.uuid4().hex, len(sink.messages)

    code, said = ended(client, folder, running, order)
    assert (code, said.split()[:2]) == (0, ["SUCCESS", "250"]), said
    assert ended(client, folder, running, order) == (0, "SUCCESS sent before\n")

    [message] = sink.messages[before:]
    assert message.recipients == ("ada@example.com",)
    assert order.encode() in message.content


def test_a_mail_that_is_refused(
    client: Client, folder: Path, running: Application, sink: Sink
) -> None:
    """ERROR says why, and is an exit code of its own."""
    sink.script = Script(rcpt="550 5.1.1 no such user")
    try:
        code, said = ended(client, folder, running, uuid.uuid4().hex)
    finally:
        sink.script = Script()

    assert (code, said.split()[0]) == (1, "ERROR"), said
    assert "550 5.1.1 no such user" in said


def test_a_deadline(client: Client, folder: Path, running: Application) -> None:
    """Nobody waits for ever, and no end of patience is taken for an ERROR: here no watcher runs."""
    elsewhere = {"MONGODB_DATABASE": f"{running.mails.database.name}_idle"}
    try:
        code, said = ended(
            client, folder, running, uuid.uuid4().hex, WAIT_SECONDS="0.3", **elsewhere
        )
    finally:
        running.mails.database.client.drop_database(elsewhere["MONGODB_DATABASE"])

    assert code == 4, said
    assert " is not settled" in said


def test_the_page_shows_the_files() -> None:
    """docs/clients.md has every program, letter by letter, below its name."""
    shown = re.findall(
        r"^\[([\w.]+)\]\(\.\./examples/clients/\1\).*?^```(?!sh)\w+\n(.*?)^```$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )

    assert dict(shown) == {
        path.name: path.read_text(encoding="utf-8") for path in clients.FOLDER.iterdir()
    }
    assert {each.file for each in clients.CLIENTS} == {name for name, _ in shown}

"""The commands of README.md and docs/, page by page, as a reader types them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.support import documented
from tests.support.application import ROOT, Application, for_a_module
from tests.support.documented import Command, Way
from tests.support.sink import Sink


COMMANDS = [each for each in documented.in_blocks() if each.way is Way.RUN]
TUTORIAL = "docs/tutorial.md"
#: The tutorial counts on nothing being there.
PAGES = sorted({each.page for each in COMMANDS}, key=lambda page: (page != TUTORIAL, page))
_SECONDS = 60


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """The reader's SMTP server."""
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
    """What `make run` would have started."""
    directory = tmp_path_factory.mktemp("pages")
    with for_a_module(
        sink.uri, mongodb_uri, broker_url, mongo_client, directory, TEMPLATES_COLLECTION="templates"
    ) as ours:
        yield ours


@pytest.fixture(scope="module")
def already() -> set[str]:
    """The commands that were run: several pages name the same one."""
    return set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder like the project's, into which commands may write."""
    for name in ("config", "tasks", "examples"):
        tmp_path.joinpath(name).symlink_to(ROOT / name)
    shutil.copy(ROOT / ".env.example", tmp_path)
    shutil.copy(ROOT / "examples/plain-text.json", tmp_path / "mail.json")
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page(
    page: str, running: Application, folder: Path, already: set[str], sink: Sink
) -> None:
    """In the page's order each ends as the page says; the tutorial ends with the mail arrived."""
    for command in COMMANDS:
        if command.page == page and (page == TUTORIAL or command.words not in already):
            ended = _run(command, running, folder)
            expected = documented.CODES.get(command.words, 0)
            assert ended.returncode == expected, (command.line, ended.stdout, ended.stderr)
            already.add(command.words)

    if page == TUTORIAL:
        assert "SUCCESS" in ended.stdout
        subjects = [each.content.partition(b"Subject: ")[2] for each in sink.messages]
        assert any(each.startswith(b"Order 4711 is on its way\r\n") for each in subjects)


def _run(command: Command, running: Application, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", command.line],
        cwd=folder,
        env={**running.environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )

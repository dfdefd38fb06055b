"""The receiver of docs/events.md, as it stands there."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import events
from local import ports
from local.processes import Server
from tests.support.application import ROOT, eventually
from watcher.events import signing
from watcher.events.receivers import NotTaken, Url


SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
EVENT = {"id": "1", "type": "firebase.extensions.firestore-send-email.v1.onSuccess", "subject": "a"}


@pytest.fixture
def example(tmp_path: Path) -> Iterator[tuple[Server, int]]:
    """The running example, and its port."""
    [code] = re.findall(
        r"```python\n(.*?)```",
        ROOT.joinpath("docs/events.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    port = ports.free()
    server = Server(
        name="example",
        command=[sys.executable, "-c", code],
        log=tmp_path / "log",
        ready=lambda _pid: ports.accepts(port),
        environment={**os.environ, "EVENTS_SECRET": SECRET, "PORT": str(port)},
    )
    server.start()
    yield server, port
    server.kill()


def test_it_takes_what_we_sign_and_each_event_once(example: tuple[Server, int]) -> None:
    """Whoever copies it has a receiver that works."""
    server, port = example
    url = Url(f"http://127.0.0.1:{port}/", events.keys(SECRET), connections=1)

    with contextlib.closing(url):
        url.take(EVENT)
        url.take(EVENT)
        url.take({**EVENT, "id": "2", "subject": "b"})

    eventually("printed", lambda: "onSuccess b" in server.log.read_text())
    printed = [line for line in server.log.read_text().splitlines() if line.startswith("onSuccess")]
    assert printed == ["onSuccess a", "onSuccess b"]


def test_it_refuses_what_somebody_else_signs(example: tuple[Server, int]) -> None:
    """And what we signed long ago."""
    _, port = example
    url = Url(f"http://127.0.0.1:{port}/", [b"x" * 32], connections=1)
    with contextlib.closing(url), pytest.raises(NotTaken, match="answered 401"):
        url.take(EVENT)

    old = signing.headers(events.keys(SECRET), "1", b"{}", int(time.time()) - 3600)
    headers = {name.decode(): value.decode() for name, value in old}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", b"{}", headers)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=10)

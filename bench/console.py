"""What the mail console's pages cost over a million mails: `python -m bench.console`.

Inserts the mails of bench.operating, starts the console, and asks each address as the page does.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from bench.index_cost import mongod
from bench.operating import _fill as fill
from config.mongo import CODEC
from local import ports
from local.processes import Server
from tasks.delivery import indexes


_TIMES = 5
_ROOT = Path(__file__).parents[1]


def main(
    count: Annotated[int, typer.Option("--mails", help="mails there are")] = 1_000_000,
) -> None:
    """Measure."""
    with mongod() as (client, _), tempfile.TemporaryDirectory() as directory:
        collection = client["console"].get_collection("mail", codec_options=CODEC)
        indexes.ensure(collection)
        fill(collection, count)
        host, port = client.address or ("", 0)
        with _console(f"mongodb://{host}:{port}/?directConnection=true", Path(directory)) as page:
            for name, path, query in _questions():
                _measure(name, page, f"{path}?{urlencode(query)}")
            _follow(page)


class _Page:
    def __init__(self, port: int) -> None:
        self._port = port
        self._cookie = ""
        with self._ask("/") as answer:
            self._cookie = (answer.headers["set-cookie"] or "").partition(";")[0]

    def get(self, path: str) -> bytes:
        with self._ask(path) as answer:
            return answer.read()

    @contextlib.contextmanager
    def _ask(self, path: str) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Cookie": self._cookie})
            yield connection.getresponse()

    def events(self) -> Iterator[tuple[str, float, Any]]:
        """Give the events: name, seconds since the start, value."""
        started, name = time.monotonic(), ""
        with self._ask("/api/events") as answer:
            for raw in answer:
                key, _, value = raw.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    yield name, time.monotonic() - started, json.loads(value)


@contextlib.contextmanager
def _console(uri: str, directory: Path) -> Iterator[_Page]:
    port = ports.free()
    needed = {
        "MONGODB_URI": uri,
        "MONGODB_DATABASE": "console",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1",
        "SMTP_CONNECTION_URI": "smtp://127.0.0.1:1",
        "DEFAULT_FROM": "a@example.com",
        "CONSOLE_PORT": str(port),
    }
    server = Server(
        name="console",
        command=[sys.executable, "-m", "console"],
        log=directory / "console.log",
        ready=lambda _: ports.accepts(port),
        environment={**os.environ, **needed},
        directory=_ROOT,
    )
    server.start()
    try:
        yield _Page(port)
    finally:
        server.stop()


def _questions() -> Iterator[tuple[str, str, dict[str, str]]]:
    pages: dict[str, dict[str, str]] = {
        "all": {},
        "ERROR": {"state": "ERROR"},
        "PENDING": {"state": "PENDING"},
        "SUCCESS": {"state": "SUCCESS"},
        "ERROR of the last hour": {"state": "ERROR", "since": "1h"},
        "a recipient that many have": {"recipient": "customer77"},
        "the oldest recipient": {"recipient": "customer3@example.com"},
    }
    for name, query in pages.items():
        yield f"list: {name}", "/api/mails", query
    yield "count before retry: ERROR", "/api/changes", {"kind": "retry", "state": "ERROR"}
    yield "count before resend: all", "/api/changes", {"kind": "resend"}


def _measure(name: str, page: _Page, path: str) -> None:
    times: list[float] = []
    for _ in range(_TIMES):
        started = time.monotonic()
        body = page.get(path)
        times.append(time.monotonic() - started)
    print(f"{name:36} {min(times) * 1000:8.1f}–{max(times) * 1000:8.1f} ms  {len(body):,} bytes")


def _follow(page: _Page) -> None:
    """Tell when a new browser has the counts, the last hour, and changes."""
    wanted = {"counts", "hour", "stream"}
    for name, seconds, value in page.events():
        if name in wanted and (name != "stream" or value["open"]):
            wanted.discard(name)
            print(f"event {name:30} {seconds * 1000:8.1f} ms")
        if not wanted:
            return


if __name__ == "__main__":
    typer.run(main)

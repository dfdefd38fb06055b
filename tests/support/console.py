"""The console as a process, and a client that behaves as a browser does."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from config.settings import Settings
from local import ports
from local.processes import Server


ROOT = Path(__file__).parents[2]


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Browser:
    """Sends what a browser sends from our own page; `headers` change or remove (None) some."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    token: str | None = None

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, self._headers(headers or {}))
            response = connection.getresponse()
            for line in response.headers.get_all("set-cookie") or []:
                name, _, value = line.partition(";")[0].partition("=")
                self.cookies[name] = value
            return Answer(response.status, response.headers, response.read())

    def get(self, path: str, **query: str) -> Answer:
        return self.request("GET", f"{path}?{urlencode(query)}" if query else path)

    def log_in(self, password: str) -> Answer:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", "/login", urlencode({"password": password}), form)

    def begin(self) -> Self:
        """Take the session's token."""
        self.get("/")
        self.token = self.get("/api/session").json["token"]
        return self

    def change(self, **wish: Any) -> list[dict[str, Any]]:
        """Ask for a change; give its lines."""
        answer = self.request("POST", "/api/changes", json.dumps(wish))
        assert answer.status == 200, answer.body
        return [json.loads(line) for line in answer.body.splitlines()]

    def events(self) -> Iterator[tuple[str, Any]]:
        """Follow the server-sent events."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/api/events", headers=self._headers({}))
            response = connection.getresponse()
            assert response.status == 200, response.read()
            name = ""
            for raw in response:
                key, _, value = raw.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    yield name, json.loads(value)

    def _headers(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        usual = {
            "Sec-Fetch-Site": "same-origin",
            "Cookie": cookies or None,
            "X-CSRF-Token": self.token,
            **changes,
        }
        return {name: value for name, value in usual.items() if value is not None}


@dataclass
class Console:
    """A running console."""

    port: int
    server: Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def browser(self) -> Browser:
        return Browser(self.port)


def environment(settings: Settings, **variables: str) -> dict[str, str]:
    """What the process finds in its environment."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONUNBUFFERED": "1",
        "MONGODB_URI": settings.mongodb_uri.get_secret_value(),
        "MONGODB_DATABASE": settings.database,
        "CELERY_BROKER_URL": settings.celery_broker_url.get_secret_value(),
        "SMTP_CONNECTION_URI": settings.smtp_connection_uri.get_secret_value(),
        "DEFAULT_FROM": settings.default_from,
        **variables,
    }


@contextlib.contextmanager
def running(
    settings: Settings, log: Path, *, port: int | None = None, **variables: str
) -> Iterator[Console]:
    """Start it as the Procfile does; a clean stop is part of every test."""
    port = port or ports.free()
    server = Server(
        name="console",
        command=[sys.executable, "-m", "console"],
        log=log,
        ready=lambda _: ports.accepts(port),
        environment=environment(settings, CONSOLE_PORT=str(port), **variables),
        directory=ROOT,
    )
    server.start()
    try:
        yield Console(port, server)
        assert server.stop(timeout=10) == 0, server.last_lines(30)
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        server.kill()

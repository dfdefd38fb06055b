"""SendGrid's Web API as far as its published description goes: requests are held against that.

with SendGrid() as server:
    ...  # send to server.api
    assert server.requests[0]["subject"] == "Hi"
    server.script = Reply(503)
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from jsonschema import Draft202012Validator

from config.sendgrid import SendGridApi


KEY = "SG.hidden-key"
_SCHEMA = json.loads(Path(__file__).with_name("sendgrid_mail_send.json").read_text())
_LINGER_ZERO = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Reply:
    """What is answered instead of the usual."""

    status: int
    errors: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


class SendGrid:
    """The server, on a random port of 127.0.0.1."""

    def __init__(self) -> None:
        #: A Reply, or a fault: "drop" (no answer to a request), "reset early" (while it comes),
        #: "hang" (no answer until `stopped`).
        self.script: Reply | str | None = None
        #: The mails taken, in order: the requests' JSON.
        self.requests: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.stopped = threading.Event()
        self.changed = threading.Condition()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"host": self})
        )
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """SENDGRID_API_URL of this server."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def api(self) -> SendGridApi:
        """The API with the key it knows."""
        return SendGridApi(self.url, KEY)

    def recipients(self) -> list[str]:
        """List everybody who got a mail, in order."""
        return [
            person["email"]
            for request in self.requests
            for each in request["personalizations"]
            for name in ("to", "cc", "bcc")
            for person in each.get(name, [])
        ]

    def answer(self, key: str | None, body: bytes) -> Reply:
        """Judge a request for mail/send."""
        if key != f"Bearer {KEY}":
            message = "The provided authorization grant is invalid, expired, or revoked"
            return Reply(401, [{"message": message, "field": None, "help": None}])
        if isinstance(self.script, Reply):
            return self.script
        request = json.loads(body)
        errors = faults(request)
        if errors:
            return Reply(400, errors)
        with self.changed:
            self.requests.append(request)
            number = len(self.requests)
        sandbox = request.get("mail_settings", {}).get("sandbox_mode", {}).get("enable")
        return Reply(200 if sandbox else 202, headers={"X-Message-Id": f"id-{number}"}, raw=b"")


def faults(request: Any) -> list[dict[str, Any]]:
    """Say what the published description, and the page of errors, have against a request."""
    validator = Draft202012Validator(_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    errors = [
        {"message": error.message, "field": ".".join(map(str, error.path)) or "body", "help": None}
        for error in validator.iter_errors(request)
    ]
    if errors:
        return errors
    people = [
        person["email"].lower()
        for each in request["personalizations"]
        for name in ("to", "cc", "bcc")
        for person in each.get(name, [])
    ]
    if len(people) > 1000:
        return [{"message": "more than 1000 recipients", "field": "personalizations"}]
    if len(set(people)) < len(people):
        message = "Each email address should be unique between to, cc, and bcc."
        return [{"message": message, "field": "personalizations.0"}]
    return []


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"  # connections stay open
    host: SendGrid

    def setup(self) -> None:
        self.host.counts["connect"] += 1
        super().setup()

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == f"Bearer {KEY}"
        if isinstance(self.host.script, Reply):
            self._say(self.host.script)
        elif self.path == "/v3/scopes" and known:
            self._say(Reply(200, raw=json.dumps({"scopes": ["mail.send"]}).encode()))
        else:
            self._say(Reply(401 if not known else 404))

    def do_POST(self) -> None:
        host, length = self.host, int(self.headers["Content-Length"])
        if host.script == "reset early":
            self.rfile.read(min(length - 1, 1000))
            self._end(reset=True)
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        host.counts["request"] += 1
        assert self.path == "/v3/mail/send"
        if host.script == "hang":
            host.stopped.wait()
        if host.script in ("drop", "hang"):
            self._end(reset=False)
        else:
            self._say(host.answer(self.headers["Authorization"], body))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def _end(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self.connection.close()

    def _say(self, reply: Reply) -> None:
        body = json.dumps({"errors": reply.errors}).encode() if reply.raw is None else reply.raw
        with contextlib.suppress(OSError):  # whoever asked does not wait any more
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

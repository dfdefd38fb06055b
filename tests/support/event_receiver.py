"""A receiver of events: checks every signature, keeps what it takes, fails when it is told to."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from watcher.events.changes import PREFIX


SECRET = "not-a-secret-but-24-bytes-long"


class EventReceiver:
    """On a random port of 127.0.0.1; `status`: what it answers."""

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        #: In the order in which they came, also twice.
        self.events: list[dict[str, Any]] = []
        #: Requests whose signature was wrong.
        self.forged = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def types(self, id: Any) -> list[str]:
        """Name the events of a mail, in order."""
        with self._lock:
            return [
                event["type"].removeprefix(PREFIX)
                for event in self.events
                if event["subject"] == str(id)
            ]

    def subjects(self, kind: str) -> set[str]:
        """Name the mails that had such an event."""
        with self._lock:
            return {each["subject"] for each in self.events if each["type"] == PREFIX + kind}

    def _take(self, headers: Any, body: bytes) -> int:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.digest(SECRET.encode(), signed, hashlib.sha256)
        with self._lock:
            if headers["webhook-signature"] != "v1," + base64.b64encode(digest).decode():
                self.forged += 1
                return 401
            if self.status == 200:
                event = json.loads(body)
                assert event["id"] == headers["webhook-id"]
                self.events.append(event)
            return self.status

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # the same
                    super().handle()

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # the sender was killed in the middle
                self.send_response(receiver._take(self.headers, body))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

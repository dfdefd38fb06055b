"""A token endpoint (RFC 6749 section 6) that knows one client and one refresh token.

with TokenEndpoint() as endpoint:
    client = endpoint.client()
    endpoint.script = Answer(400, {"error": "invalid_grant"})
"""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

from config.oauth2 import OAuth2Client


CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN = "our-client", "our-client-secret", "our-refresh-token"


@dataclass(frozen=True)
class Answer:
    """What the endpoint says whatever it is asked; `raw`: bytes in place of the JSON."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


class TokenEndpoint:
    """The server, on a random port of 127.0.0.1; gives token-1, token-2, …"""

    def __init__(self, *, seconds: Any = 3600, tls: ssl.SSLContext | None = None) -> None:
        #: What `expires_in` says; None: nothing.
        self.seconds = seconds
        #: Instead of the usual answer; a function is called, and may wait.
        self.script: Answer | Callable[[], Answer | None] | None = None
        #: Gives a new refresh token with each access token, and takes the newest only.
        self.rotates = False
        self.refresh_token = REFRESH_TOKEN
        #: The access tokens that are good.
        self.good: set[str] = set()
        #: The forms that came.
        self.asked: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._given = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """TOKEN_URL of this endpoint."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}/token"

    def client(self, **changes: str) -> OAuth2Client:
        """Make the client it knows, or another."""
        known = {
            "token_url": self.url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
        }
        return OAuth2Client(**{**known, **changes})

    def revoke_tokens(self) -> None:
        """Make every access token worthless that was given."""
        with self._lock:
            self.good.clear()

    def answer(self, form: dict[str, str]) -> Answer:
        """Answer a request."""
        with self._lock:
            self.asked.append(form)
        scripted = self.script() if callable(self.script) else self.script
        if scripted is not None:
            return scripted
        with self._lock:
            return self._usual(form)

    def _usual(self, form: dict[str, str]) -> Answer:
        if form.get("grant_type") != "refresh_token":
            return Answer(400, {"error": "unsupported_grant_type"})
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Answer(401, {"error": "invalid_client"})
        if form.get("refresh_token") != self.refresh_token:
            said = "Token has been expired or revoked."
            return Answer(400, {"error": "invalid_grant", "error_description": said})
        self._given += 1
        token = f"token-{self._given}"
        self.good.add(token)
        body: dict[str, Any] = {"access_token": token, "token_type": "Bearer"}
        if self.seconds is not None:
            body["expires_in"] = self.seconds
        if self.rotates:
            self.refresh_token = body["refresh_token"] = f"{REFRESH_TOKEN}-{self._given}"
        return Answer(200, body)


def _handler(endpoint: TokenEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            form = {
                key: values[0] for key, values in parse_qs(self.rfile.read(length).decode()).items()
            }
            answer = endpoint.answer(form)
            body = json.dumps(answer.body).encode() if answer.raw is None else answer.raw
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever asked does not wait any more
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler

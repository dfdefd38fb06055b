"""/metrics, /healthz and /readyz: one small HTTP server in a thread of the process."""

from __future__ import annotations

import errno
import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from config.ports import Ports


#: Seconds a client has for its request.
_PATIENCE = 10

#: Content type and content.
Page = tuple[str, bytes]
#: Tells what is wrong, by name; empty: all is well.
Check = Callable[[], dict[str, object]]


class NoPort(Exception):
    """Every port of METRICS_PORT is taken."""


class Pages:
    """What the server serves."""

    def __init__(self, *, metrics: Callable[[], Page], health: Check, readiness: Check) -> None:
        self._metrics = metrics
        self._checks = {"/healthz": health, "/readyz": readiness}

    def get(self, path: str) -> tuple[HTTPStatus, Page]:
        """Answer a request."""
        if path == "/metrics":
            return HTTPStatus.OK, self._metrics()
        check = self._checks.get(path)
        if check is None:
            return HTTPStatus.NOT_FOUND, ("text/plain", b"/metrics, /healthz, /readyz\n")
        wrong = check()
        status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
        body = {"status": "failed" if wrong else "ok", **wrong}
        return status, ("application/json", json.dumps(body).encode() + b"\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Two processes must not share a port: each would show the other's figures now and then.
    allow_reuse_port = False

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _handler(pages))

    def server_bind(self) -> None:
        """Leave out what HTTPServer does besides: it asks name servers for this machine's name."""
        socketserver.TCPServer.server_bind(self)


def _handler(pages: Pages) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_GET(self) -> None:
            status, (kind, body) = pages.get(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A line for every scrape says nothing."""

    return Handler


def serve(host: str, ports: Ports, pages: Pages) -> int:
    """Listen on the first port that is free; return it. Raises NoPort, or OSError for the host."""
    server = _listen(host, ports, pages)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    # A child of a prefork worker would keep the port when its parent is gone.
    os.register_at_fork(after_in_child=server.socket.close)
    return int(server.server_address[1])


def _listen(host: str, ports: Ports, pages: Pages) -> _Server:
    for port in range(ports.first, ports.last + 1):
        try:
            return _Server(host, port, pages)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise NoPort(f"{host}: every port of METRICS_PORT={ports} is taken")

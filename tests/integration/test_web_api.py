"""Requests to web APIs, of servers that answer and of some that do not."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from config.web_api import Answer, NoAnswer, WebApi


_CHUNK = 65_536
_OK = b"HTTP/1.1 200 OK\r\nX-One: 1\r\nContent-Length: 2\r\n\r\n{}"


@contextlib.contextmanager
def _server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a server that does this with each connection; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    serve(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _request(connection: socket.socket) -> bytes:
    """Read a request; what is left unread would make close() say RST."""
    received = b""
    while not received.endswith(b"\r\n\r\nabc"):
        received += connection.recv(_CHUNK)
    return received


def _post(url: str, seconds: float = 5, body: bytes = b"abc") -> Answer:
    api = WebApi()
    headers = {"Host": "127.0.0.1", "Content-Length": str(len(body))}
    with contextlib.closing(api):
        return api.post(url, headers, body, time.monotonic() + seconds)


def test_answer() -> None:
    """The answer's status, headers and body come as they are."""
    received = bytearray()

    def serve(connection: socket.socket) -> None:
        received.extend(_request(connection))
        connection.sendall(_OK)

    with _server(serve) as url:
        answer = _post(url)

    assert answer == Answer(200, {"x-one": "1", "content-length": "2"}, b"{}")
    assert received.startswith(b"POST /api HTTP/1.1\r\n")
    assert received.endswith(b"\r\n\r\nabc")


def test_trickling_answer() -> None:
    """A server that sends byte after byte cannot stretch the time."""
    gone = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not gone.wait(0.02):
            connection.sendall(b"a")

    with _server(trickle) as url:
        started = time.monotonic()
        with pytest.raises(NoAnswer, match="did not answer in time") as caught:
            _post(url, 0.5)
        took = time.monotonic() - started
        gone.set()

    assert took < 3
    assert caught.value.connected


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "broke off"),
        (b"220 mx.example.com ESMTP\r\n", "broke off"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000, "its answer does not end"),
    ],
)
def test_no_answer(said: bytes, words: str) -> None:
    """Whatever is no whole answer is none; the request may have been read."""

    def serve(connection: socket.socket) -> None:
        _request(connection)
        connection.sendall(said)

    with _server(serve) as url, pytest.raises(NoAnswer, match=words) as caught:
        _post(url)

    assert caught.value.connected


def test_nobody_there() -> None:
    """A server that is not there got nothing."""
    with pytest.raises(NoAnswer, match="cannot be reached: connection refused") as caught:
        _post("http://127.0.0.1:1/api")

    assert not caught.value.connected


def test_unknown_host() -> None:
    """A name that nobody has is an error of this request, not of ours."""
    with pytest.raises(NoAnswer, match="cannot be reached") as caught:
        _post("http://nobody.invalid/api")

    assert not caught.value.connected


def test_redirection() -> None:
    """A redirection is not followed: what we send is for the host of the settings."""

    def serve(connection: socket.socket) -> None:
        _request(connection)
        connection.sendall(b"HTTP/1.1 307 Go\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")

    with _server(serve) as url:
        assert _post(url).status == 307

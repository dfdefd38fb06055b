"""Files by URL, from a real web server."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from config.attachment_hosts import parse
from local import ports
from tasks.errors import Transient
from tasks.gathering.errors import Unobtainable
from tasks.gathering.web import Web
from tasks.mail.gathered import File
from tests.support.web_server import Answer, WebServer, answer


PDF = answer(b"%PDF", content_type="application/pdf")
AUTHORITY = trustme.CA()


_GETADDRINFO = socket.getaddrinfo


@pytest.fixture
def server() -> Iterator[WebServer]:
    """A server that knows one file."""
    with WebServer({"/a.pdf": PDF}) as running:
        yield running


def fetch(
    url: str,
    *,
    hosts: str = "",
    limit: int = 1_000_000,
    seconds: float = 10,
    **headers: str,
) -> File:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    web = Web(parse(hosts or f"127.0.0.1:{url.split(':')[2].partition('/')[0]}"), context)
    return web.read(url, headers, limit, time.monotonic() + seconds)


def fault(url: str, **options: Any) -> str:
    with pytest.raises(Unobtainable) as caught:
        fetch(url, **options)
    return str(caught.value)


def trouble(url: str, **options: Any) -> str:
    with pytest.raises(Transient) as caught:
        fetch(url, **options)
    return str(caught.value)


def test_file(server: WebServer) -> None:
    """A file comes with its name and its type; the request names its host and nothing odd."""
    assert fetch(f"{server.url}/a.pdf") == File(b"%PDF", "a.pdf", "application/pdf")
    (request,) = server.requests
    assert request.startswith("GET /a.pdf HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{server.port}\r\n" in request.lower()
    assert "accept-encoding: identity\r\n" in request.lower()


def test_headers(server: WebServer) -> None:
    """httpHeaders go with the request, and beat ours; a user in the URL is Basic authentication."""
    fetch(f"{server.url}/a.pdf", authorization="Bearer x", accept="application/pdf")
    fetch(f"{server.url}/a.pdf".replace("//", "//me:pass@"), hosts=f"127.0.0.1:{server.port}")

    assert "authorization: Bearer x\r\n" in server.requests[0].replace("Auth", "auth")
    assert server.requests[0].lower().count("accept:") == 1
    assert "Authorization: Basic bWU6cGFzcw==\r\n" in server.requests[1]


@pytest.mark.parametrize("status", ["404 Not Found", "403 No", "410 Gone", "204 No", "206 Part"])
def test_refused(server: WebServer, status: str) -> None:
    """An answer that no later attempt would change is the document's fault."""
    server.answers["/x"] = answer(b"", status)

    assert fault(f"{server.url}/x") == (
        f"cannot be had: 127.0.0.1:{server.port} answered {status[:3]}"
    )


@pytest.mark.parametrize("status", ["500 Oops", "503 Busy", "429 Slow down", "408 Timeout"])
def test_busy(server: WebServer, status: str) -> None:
    """A server that is busy may answer later."""
    server.answers["/x"] = answer(b"", status)

    assert trouble(f"{server.url}/x") == f"127.0.0.1:{server.port} answered {status[:3]}"


def test_away() -> None:
    """A server that is not there may come back."""
    port = ports.free()

    expected = f"127.0.0.1:{port} cannot be read from: connection refused"
    assert trouble(f"http://127.0.0.1:{port}/") == expected


def test_unknown_name() -> None:
    """A listed name that nobody knows may come back."""
    text = trouble("http://nobody.invalid/", hosts="nobody.invalid")

    assert text.startswith("nobody.invalid cannot be resolved: ")


@pytest.mark.parametrize("hosts", ["files.example.com", "127.0.0.1", "127.0.0.1:1", "10.0.0.0/8"])
def test_unlisted_host(server: WebServer, hosts: str) -> None:
    """A host or port that is not listed is not asked."""
    assert fault(f"{server.url}/a.pdf", hosts=hosts) == (
        f"is at 127.0.0.1:{server.port}, which is not in ATTACHMENT_HOSTS"
    )
    assert server.requests == []


def test_a_name_for_an_address_that_is_not_public(server: WebServer) -> None:
    """A listed name does not open loopback: the address must be listed, too."""
    url = f"http://localhost:{server.port}/a.pdf"

    assert fault(url, hosts=f"localhost:{server.port}") == (
        "is at localhost, whose address is not public and not in ATTACHMENT_HOSTS"
    )
    assert server.requests == []
    assert fetch(url, hosts=f"localhost:{server.port},127.0.0.1").data == b"%PDF"


def test_rebinding(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means another address a moment later: the checked one is connected to."""
    asked: list[Any] = []

    def changing(host: str, *given: Any, **named: Any) -> list[Any]:
        if host != "rebound.example":
            return _GETADDRINFO(host, *given, **named)
        asked.append(None)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.port))]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    hosts = f"rebound.example:{server.port},127.0.0.1"

    assert fetch(f"http://rebound.example:{server.port}/a.pdf", hosts=hosts).data == b"%PDF"
    assert len(asked) == 1


def test_one_of_several_addresses(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a name's addresses the allowed ones are tried, one after the other."""
    addresses = ["10.0.0.1", "127.0.0.2", "127.0.0.1"]

    def several(host: str, *given: Any, **named: Any) -> list[Any]:
        if host != "several.example":
            return _GETADDRINFO(host, *given, **named)
        found = ((address, server.port) for address in addresses)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", each) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", several)
    hosts = f"several.example:{server.port},127.0.0.0/8"

    assert fetch(f"http://several.example:{server.port}/a.pdf", hosts=hosts).data == b"%PDF"


def test_redirections(server: WebServer) -> None:
    """Redirections are followed; the file keeps the name of the first URL that has one."""
    server.answers["/x"] = answer(status="302 Found", location="/a.pdf")
    server.answers["/"] = answer(status="307 There", location=f"{server.url}/x")

    assert fetch(f"{server.url}/x").name == "x"
    assert fetch(f"{server.url}/") == File(b"%PDF", "a.pdf", "application/pdf")


def test_redirection_to_a_host_that_is_not_listed(server: WebServer) -> None:
    """Where a redirection leads is checked like the URL itself."""
    with WebServer({"/a.pdf": PDF}, host="127.0.0.2") as other:
        server.answers["/x"] = answer(status="301 Moved", location=f"{other.url}/a.pdf")

        text = fault(f"{server.url}/x")

        assert text == f"is at 127.0.0.2:{other.port}, which is not in ATTACHMENT_HOSTS"
        assert other.requests == []


def test_headers_stay_at_home(server: WebServer) -> None:
    """httpHeaders hold secrets for the URL's own host: a redirection to another one drops them."""
    with WebServer({"/a.pdf": PDF}, host="127.0.0.2") as other:
        server.answers["/x"] = answer(status="301 Moved", location="/y")
        server.answers["/y"] = answer(status="301 Moved", location=f"{other.url}/a.pdf")

        hosts = f"127.0.0.1:{server.port},127.0.0.2:{other.port}"
        fetch(f"{server.url}/x", hosts=hosts, authorization="Bearer x")

        assert ["Bearer x" in request for request in server.requests] == [True, True]
        assert "Bearer x" not in other.requests[0]


def test_endless_redirections(server: WebServer) -> None:
    """A circle of redirections ends."""
    server.answers["/x"] = answer(status="302 Found", location="/x")

    assert fault(f"{server.url}/x") == "is redirected more than 5 times"
    assert len(server.requests) == 6


def test_redirection_to_a_file(server: WebServer) -> None:
    """A redirection cannot reach this machine's files."""
    server.answers["/x"] = answer(status="302 Found", location="file:///etc/passwd")

    assert fault(f"{server.url}/x") == "is redirected to something that is no http or https URL"


def test_tls() -> None:
    """https works, by name and by address; the certificate must be right."""
    with _tls_server("127.0.0.1", "localhost") as server:
        listed = f"localhost:{server.port},127.0.0.1:{server.port}"
        assert fetch(f"{server.url}/a.pdf").data == b"%PDF"
        assert fetch(f"https://localhost:{server.port}/a.pdf", hosts=listed).data == b"%PDF"
    with _tls_server("other.example") as server:
        text = trouble(f"{server.url}/a.pdf")

    assert "certificate verify failed" in text


def test_downgrade() -> None:
    """A redirection from https to http would show the file to everyone on the way."""
    with WebServer({"/a.pdf": PDF}) as plain, _tls_server("127.0.0.1") as server:
        server.answers["/x"] = answer(status="301 Moved", location=f"{plain.url}/a.pdf")

        assert fault(f"{server.url}/x") == "is redirected from https to http"


@pytest.mark.parametrize(
    "told",
    [
        answer(bytes(101)),
        answer(b"", content_length="1000000000000"),
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(101),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"
        + bytes(101)
        + b"\r\n0\r\n\r\n",
        answer(gzip.compress(bytes(101)), content_encoding="gzip"),
        answer(gzip.compress(bytes(50_000_000)), content_encoding="GZIP"),
    ],
    ids=["length", "announced", "until the end", "chunked", "packed", "bomb"],
)
def test_size(server: WebServer, told: bytes) -> None:
    """A file of more bytes than are left is not taken, whatever its server says of it."""
    server.answers["/x"] = told

    text = fault(f"{server.url}/x", limit=100)

    assert text == "has more than the 100 bytes that MAX_MESSAGE_BYTES leaves for it"


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_compression(server: WebServer, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """A compression that nobody asked for is undone."""
    server.answers["/x"] = answer(pack(b"%PDF"), content_encoding=encoding)

    assert fetch(f"{server.url}/x", limit=4).data == b"%PDF"


def test_other_encodings(server: WebServer) -> None:
    """What cannot be undone is refused: half a file, or a riddle, is worse than none."""
    server.answers |= {
        "/a": answer(b"x", content_encoding="br"),
        "/b": answer(b"no gzip", content_encoding="gzip"),
        "/c": answer(gzip.compress(b"%PDF")[:-4], content_encoding="gzip"),
    }

    assert fault(f"{server.url}/a") == "is sent in a Content-Encoding that nobody asked for"
    assert fault(f"{server.url}/b") == "is sent in a broken compression"
    assert trouble(f"{server.url}/c") == "is incomplete: its compression does not end"


def _silence(connection: socket.socket) -> None:
    connection.recv(1)


def _drip(text: bytes) -> Callable[[socket.socket], None]:
    def drip(connection: socket.socket) -> None:
        connection.sendall(text)
        paused = threading.Event()
        while not paused.wait(0.1):
            connection.sendall(b"x")

    return drip


@pytest.mark.parametrize(
    "told",
    [
        _silence,
        _drip(b"HTTP/1.1 200 OK\r\nX: "),
        _drip(b"HTTP/1.1 200 OK\r\n\r\n"),
        _drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
    ],
    ids=["silent", "slow header", "slow body", "slow file"],
)
def test_slow_servers(server: WebServer, told: Answer) -> None:
    """However a server dawdles, the time for the mail is kept."""
    server.answers["/x"] = told
    started = time.monotonic()

    assert trouble(f"{server.url}/x", seconds=0.5) == (
        f"127.0.0.1:{server.port} did not answer in time"
    )
    assert time.monotonic() - started < 3


def test_slow_tls() -> None:
    """A server that says nothing during the handshake is no exception."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        assert trouble(f"https://127.0.0.1:{port}/", seconds=0.5) == (
            f"127.0.0.1:{port} did not answer in time"
        )


def test_slow_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that does not answer is left to itself."""
    finished = threading.Event()

    def late(*_: Any, **__: Any) -> list[Any]:
        finished.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", late)

    text = trouble("http://slow.example/", hosts="slow.example", seconds=0.3)
    finished.set()

    assert text == "slow.example cannot be resolved: no answer in time"


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"nonsense\r\n\r\n",
        answer(b"half", content_length="8"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    ],
    ids=["closed", "nonsense", "half", "half a chunk", "endless header"],
)
def test_broken_answers(server: WebServer, told: bytes) -> None:
    """A broken answer is no file; the next one may be whole."""
    server.answers["/x"] = told

    assert trouble(f"{server.url}/x").startswith(f"127.0.0.1:{server.port} cannot be read from: ")


def test_no_secret_in_errors(server: WebServer) -> None:
    """A signed URL is a secret: errors name its host only."""
    secret = f"{server.url}/x?signature=secret".replace("//", "//me:secret@")

    assert "secret" not in fault(secret, hosts=f"127.0.0.1:{server.port}")
    assert "secret" not in fault(secret, hosts="other.example")


def test_connections_are_closed(server: WebServer) -> None:
    """No descriptor is left, whatever happens."""
    descriptors = Path("/proc/self/fd")
    fetch(f"{server.url}/a.pdf")
    server.answers["/big"] = answer(bytes(200_000))

    fault(f"{server.url}/big", limit=10)
    fetch(f"{server.url}/a.pdf")

    ours = [each for each in descriptors.iterdir() if _is_connection_to(each, server.port)]
    assert ours == []


def _is_connection_to(descriptor: Path, port: int) -> bool:
    try:
        number = int(descriptor.name)
        with socket.socket(fileno=socket.dup(number)) as found:
            return bool(found.getpeername()[1] == port)
    except (OSError, IndexError):
        return False


def _tls_server(*names: str) -> WebServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(*names).configure_cert(context)
    return WebServer({"/a.pdf": PDF}, tls=context)

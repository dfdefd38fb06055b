"""Requests to a web API of which every wait ends by a deadline."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore


#: Answers are a few hundred bytes, Microsoft's tokens a few thousand.
_MAX_ANSWER = 262_144


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API says; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """The API gave none; the text follows its name. `connected`: a request may have reached it."""

    def __init__(self, text: str, *, connected: bool) -> None:
        super().__init__(text)
        self.connected = connected


class WebApi:
    """One API for all threads of a process. A redirection is an answer like others."""

    def __init__(self, context: ssl.SSLContext | None = None, *, idle_seconds: float = 0) -> None:
        """`context`: default: what the system trusts. `idle_seconds`: keep connections so long."""
        self._backend = _Backend()
        self._pool = httpcore.ConnectionPool(
            context or ssl.create_default_context(),
            max_connections=None,
            keepalive_expiry=idle_seconds,
            network_backend=self._backend,
        )

    def get(self, url: str, headers: Mapping[str, str], deadline: float) -> Answer:
        """Ask, until `deadline` (time.monotonic()); raises NoAnswer."""
        return self._ask("GET", url, headers, None, deadline)

    def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterator[bytes],
        deadline: float,
    ) -> Answer:
        """Send something; `headers` hold its Content-Length.

        Raises NoAnswer, and whatever the body raises.
        """
        return self._ask("POST", url, headers, body, deadline)

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterator[bytes] | None,
        deadline: float,
    ) -> Answer:
        self._backend.thread.deadline = deadline
        try:
            with self._pool.stream(method, url, headers=_bytes(headers), content=body) as came:
                return Answer(came.status, _text(came.headers), _read(came.iter_stream()))
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise NoAnswer(f"cannot be reached: {_reason(error)}", connected=False) from error
        except httpcore.TimeoutException as error:
            raise NoAnswer("did not answer in time", connected=True) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise NoAnswer(f"broke off: {_reason(error)}", connected=True) from error

    def extend(self, deadline: float) -> None:
        """Give the request of this thread another deadline."""
        self._backend.thread.deadline = deadline

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.close()


def _bytes(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers.items()]


def _text(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _read(chunks: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > _MAX_ANSWER:
            raise httpcore.RemoteProtocolError("its answer does not end")
    return bytes(body)


def _reason(error: Exception) -> str:
    """Say in a few words what the operating system or OpenSSL reports."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, httpcore.TimeoutException):
        return "no answer in time"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or str(cause)).replace("_", " ").lower()
    if isinstance(cause, OSError):
        return (cause.strerror or str(cause)).lower()
    return str(error) or type(error).__name__


class _Backend(httpcore.NetworkBackend):
    """Opens connections on which every wait ends by the deadline of the thread that waits."""

    def __init__(self) -> None:
        self._sockets = httpcore.SyncBackend()
        #: Its `deadline` is this thread's own.
        self.thread = threading.local()

    def left(self, error: type[Exception]) -> float:
        """Give the seconds this thread has left; raises `error` when there are none."""
        left: float = self.thread.deadline - time.monotonic()
        if left <= 0:
            raise error
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the host's addresses in turn, each with its share of the time."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError from error
        addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
        failure: Exception = httpcore.ConnectTimeout()
        for index, address in enumerate(addresses):
            share = self.left(httpcore.ConnectTimeout) / (len(addresses) - index)
            try:
                stream = self._sockets.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self)
        raise failure

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Refuse: no URL means one."""
        raise NotImplementedError


class _Stream(httpcore.NetworkStream):
    """One connection: httpcore's own time-outs hold for each read, not for all of them."""

    def __init__(self, stream: httpcore.NetworkStream, backend: _Backend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, self._backend.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, self._backend.left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        left = self._backend.left(httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

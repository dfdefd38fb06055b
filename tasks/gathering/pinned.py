"""The connections of one mail's downloads: to allowed addresses only, and under a deadline.

The name is resolved here, once, and the connection goes to an address of that answer: what was
checked is what is connected to, whatever the name means a moment later (DNS rebinding).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from config.attachment_hosts import AllowedHosts
from tasks.gathering.errors import Unobtainable
from tasks.gathering.resolving import resolve


class PinnedBackend(httpcore.NetworkBackend):
    """Makes the connections of a pool; `deadline` is in seconds of time.monotonic()."""

    def __init__(self, hosts: AllowedHosts, deadline: float) -> None:
        self._hosts = hosts
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the name's allowed addresses that answers.

        Raises Unobtainable when none is allowed.
        """
        addresses = resolve(host, port, self._deadline)
        allowed = [each for each in addresses if self._hosts.allows_address(each, port)]
        if not allowed:
            raise Unobtainable(
                f"is at {host}, whose address is not public and not in ATTACHMENT_HOSTS"
            )
        for left in range(len(allowed), 0, -1):
            # One that never answers leaves time for the others.
            share = _left(self._deadline) / left
            address = str(allowed[-left])
            try:
                stream = self._sockets.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
            else:
                return _Bounded(stream, self._deadline)
        raise AssertionError("unreachable: the last address returns or raises")

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Refuse: no URL means one."""
        raise NotImplementedError


class _Bounded(httpcore.NetworkStream):
    """A connection on which every wait ends by the deadline: httpcore's own hold for each read."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline)
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, error: type[Exception] = httpcore.ConnectTimeout) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise error
    return left

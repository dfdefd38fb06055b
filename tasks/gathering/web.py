"""ATTACHMENT_HOSTS: files by URL."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

import httpcore

from config.attachment_hosts import AllowedHosts
from tasks.errors import Transient
from tasks.gathering import urls
from tasks.gathering.errors import Unobtainable, too_large
from tasks.gathering.pinned import PinnedBackend
from tasks.gathering.urls import Url
from tasks.mail.gathered import File


_MAX_REDIRECTS = 5
_OK = 200
_REDIRECTS = (301, 302, 303, 307, 308)
#: These say that a later attempt may work; so does every 5xx.
_LATER = (408, 425, 429)
_SERVERS_FAULT = 500
#: zlib's word for: gzip or zlib, told apart by the first bytes.
_GZIP_OR_ZLIB = 47
_IDENTITY = "identity"
_ENCODINGS = ("gzip", "x-gzip", "deflate")


class Web:
    """Fetches files from the hosts that the settings allow."""

    def __init__(self, hosts: AllowedHosts, context: ssl.SSLContext) -> None:
        self._hosts = hosts
        self._context = context

    def read(self, url: str, headers: Mapping[str, str], limit: int, deadline: float) -> File:
        """Fetch at most `limit` bytes, until `deadline` (time.monotonic()).

        `headers` go to the URL's own host only. Raises Unobtainable for what cannot be, Transient
        for a host that is away or busy.
        """
        first = target = urls.parse(url)
        backend = PinnedBackend(self._hosts, deadline)
        with httpcore.ConnectionPool(self._context, network_backend=backend) as pool:
            for _ in range(_MAX_REDIRECTS + 1):
                if not self._hosts.allows(target.host, target.port):
                    raise Unobtainable(
                        f"is at {target.host_header}, which is not in ATTACHMENT_HOSTS"
                    )
                found = _Download(pool, target, headers, limit).run()
                if isinstance(found, File):
                    return replace(found, name=first.filename or target.filename)
                if (target.scheme, found.scheme) == ("https", "http"):
                    raise Unobtainable("is redirected from https to http")
                if found.origin != target.origin:
                    headers = {}
                target = found
        raise Unobtainable(f"is redirected more than {_MAX_REDIRECTS} times")


@dataclass(frozen=True, slots=True)
class _Download:
    """One request."""

    pool: httpcore.ConnectionPool
    url: Url
    headers: Mapping[str, str]
    limit: int

    def run(self) -> File | Url:
        """Give the file, or where it is to be found instead."""
        url = self.url
        target = httpcore.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target)
        try:
            with self.pool.stream("GET", target, headers=self._all_headers()) as response:
                return self._answer(response)
        except httpcore.TimeoutException as error:
            raise Transient(f"{url.host_header} did not answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Transient(f"{url.host_header} cannot be read from: {_reason(error)}") from error

    def _all_headers(self) -> list[tuple[bytes, bytes]]:
        own = {"Host": self.url.host_header, "Accept": "*/*", "Accept-Encoding": "identity"}
        if self.url.authorization:
            own["Authorization"] = self.url.authorization
        given = {name.title(): value for name, value in self.headers.items()}
        return [(name.encode(), value.encode()) for name, value in {**own, **given}.items()]

    def _answer(self, response: httpcore.Response) -> File | Url:
        headers = {name.lower().decode("latin-1"): value for name, value in response.headers}
        if response.status in _REDIRECTS and "location" in headers:
            return self.url.join(headers["location"].decode("latin-1"))
        if response.status != _OK:
            self._refuse(response.status)
        encoding = headers.get("content-encoding", b"identity").decode("latin-1").strip().lower()
        length = headers.get("content-length", b"")
        if encoding == _IDENTITY and length.isdigit() and int(length) > self.limit:
            raise too_large(self.limit)
        data = b"".join(self._bounded(_decoded(response.iter_stream(), encoding, self.limit)))
        return File(data, type=headers.get("content-type", b"").decode("latin-1"))

    def _refuse(self, status: int) -> NoReturn:
        text = f"{self.url.host_header} answered {status}"
        if status in _LATER or status >= _SERVERS_FAULT:
            raise Transient(text)
        raise Unobtainable(f"cannot be had: {text}")

    def _bounded(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        left = self.limit
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                raise too_large(self.limit)
            yield chunk


def _decoded(chunks: Iterator[bytes], encoding: str, limit: int) -> Iterator[bytes]:
    """Undo a compression that nobody asked for; small data may stand for very large ones."""
    if encoding == _IDENTITY:
        yield from chunks
        return
    if encoding not in _ENCODINGS:
        raise Unobtainable("is sent in a Content-Encoding that nobody asked for")
    unpacked = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for chunk in chunks:
            yield unpacked.decompress(chunk, limit + 1)
        yield unpacked.flush()
    except zlib.error as error:
        raise Unobtainable("is sent in a broken compression") from error
    if not unpacked.eof:
        raise Transient("is incomplete: its compression does not end")


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or str(cause)).replace("_", " ").lower()
    if isinstance(cause, OSError):
        return (cause.strerror or str(cause)).lower()
    return str(error) or type(error).__name__

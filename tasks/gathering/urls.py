"""http and https URLs, taken apart once: what was checked is what is asked."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin, urlsplit

import idna

from tasks.gathering.errors import Unobtainable


_PORTS = {"http": 80, "https": 443}
#: Characters of which parsers have differing opinions.
_ODD = re.compile(r"[\x00-\x20\\\x7f]")
_HOST = re.compile(r"[a-z0-9_.-]{1,253}|[0-9a-f:.]{2,45}")
#: Those of RFC 3986 that may stand in a path and a query, and what is encoded already.
_SAFE = "/:@!$&'()*+,;=-._~?%[]|"


@dataclass(frozen=True, slots=True)
class Url:
    """`host`: lower case, ASCII, an IPv6 address without brackets. `target`: path and query."""

    scheme: str
    host: str
    port: int
    target: str
    authorization: str | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def filename(self) -> str:
        """The last name of the path, "" when it has none."""
        return unquote(self.target.partition("?")[0].rpartition("/")[2])

    def join(self, location: str) -> Url:
        """Give the URL that a redirection leads to. Raises Unobtainable."""
        base = f"{self.scheme}://{self.host_header}{self.target}"
        try:
            return parse(urljoin(base, location.strip()))
        except (Unobtainable, ValueError) as error:
            raise Unobtainable("is redirected to something that is no http or https URL") from error


def parse(text: str) -> Url:
    """Take a URL apart. Raises Unobtainable."""
    try:
        return _parse(text.strip())
    except ValueError as error:  # urllib's, and UnicodeError of idna
        raise Unobtainable("must be an http or https URL") from error


def _parse(text: str) -> Url:
    if _ODD.search(text):
        raise ValueError
    parts = urlsplit(text)
    scheme = parts.scheme.lower()
    host = _ascii(parts.hostname or "")
    if scheme not in _PORTS or not _HOST.fullmatch(host):
        raise ValueError
    target = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        target += "?" + quote(parts.query, safe=_SAFE)
    port = _PORTS[scheme] if parts.port is None else parts.port
    return Url(scheme, host, port, target, _basic(parts.username, parts.password))


def _ascii(host: str) -> str:
    if not host.isascii():
        host = idna.encode(host, uts46=True).decode("ascii")
    return host.lower().removesuffix(".")


def _basic(user: str | None, password: str | None) -> str | None:
    if user is None:
        return None
    words = f"{unquote(user)}:{unquote(password or '')}"
    return "Basic " + base64.b64encode(words.encode()).decode()

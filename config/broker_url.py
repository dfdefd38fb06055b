"""CELERY_BROKER_URL: the Redis-compatible server between watcher and workers."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl


_SCHEMES = ("redis", "rediss", "redis+socket")
_SHAPE = re.compile(
    r"rediss?://"
    r"(?:[^@/?#\s]*@)?"
    r"(?:\[[0-9A-Fa-f:.]+\]|[^:@/?#\s\[\]]+)(?::\d{1,5})?"
    r"(?:/(?P<database>[^/@?#\s]*)/?)?"
    r"(?:\?(?P<options>[^#\s]*))?"
)
_CERTIFICATE_CHECKS = ("required", "optional", "none")


def checked(url: str) -> str:
    """Give the URL for Celery; raises ValueError with a text that never holds its password.

    kombu does not check the certificate of a rediss:// server unless it is told to: here it is.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise ValueError(_wrong_scheme(scheme if separator else ""))
    if scheme == "redis+socket":
        if not rest.startswith("/"):
            raise ValueError("must name the socket's absolute path: redis+socket:///run/redis.sock")
        return url
    match = _SHAPE.fullmatch(url)
    if match is None:
        raise ValueError("is not host, port and database; percent-encode : / ? # @ in a password")
    if match["database"] and not match["database"].isdecimal():
        raise ValueError("must end with the number of a database, as in /0")
    options = dict(parse_qsl(match["options"] or ""))
    return _verified(url, options) if scheme == "rediss" else url


def for_driver(url: str) -> str:
    """Give redis-py's form of the URL of a socket; other URLs are the same for it and for kombu."""
    socket = re.fullmatch(r"redis\+socket://([^?]*)(?:\?virtual_host=(\d+))?", url)
    return f"unix://{socket[1]}?db={socket[2] or 0}" if socket else url


def _verified(url: str, options: dict[str, str]) -> str:
    asked = options.get("ssl_cert_reqs")
    if asked is None:
        return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs=required"
    if asked not in _CERTIFICATE_CHECKS:
        raise ValueError(f"has an ssl_cert_reqs other than {', '.join(_CERTIFICATE_CHECKS)}")
    return url


def _wrong_scheme(scheme: str) -> str:
    if scheme == "sentinel":
        return "names a Redis Sentinel, which is not supported yet; give the master's redis:// URL"
    return "must begin with redis://, rediss:// or redis+socket:// (no other broker is supported)"

"""EVENTS_URL, EVENTS_SECRET and EVENTS_TYPES."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import urlsplit


#: In the order in which a mail comes to them.
TYPES = ("onStart", "onPending", "onProcessing", "onRetry", "onSuccess", "onError", "onComplete")

#: Before a secret in base64, as Standard Webhooks writes it.
_PREFIX = "whsec_"
#: Bytes. A shorter key could be guessed by whoever has one event and its signature.
_SHORTEST = 24
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def check_url(text: str) -> None:
    """Raise ValueError for what is no URL of a receiver."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must begin with https:// or http:// and name a host")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or a password: events are signed")
    if not text.isascii() or any(each.isspace() for each in text):
        raise ValueError("must be ASCII, percent-encoded, without blanks")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("must have a port that is a number up to 65535") from None


def keys(secrets: str) -> list[bytes]:
    """Read EVENTS_SECRET: one secret, or several with blanks between; raises ValueError."""
    found = [_key(each) for each in secrets.split()]
    if not found or any(len(key) < _SHORTEST for key in found):
        raise ValueError(
            f"must be at least {_SHORTEST} bytes, without blanks, which part one secret from"
            " another: openssl rand -base64 32"
        )
    return found


@dataclass(frozen=True, slots=True)
class EventTypes:
    """Which events are sent."""

    names: tuple[str, ...] = TYPES

    def __str__(self) -> str:
        return ",".join(self.names)


def parse_types(text: str) -> EventTypes:
    """Read EVENTS_TYPES, names with commas between; raises ValueError."""
    named = [each.strip() for each in text.split(",")]
    unknown = [each for each in named if each not in TYPES]
    if unknown:
        raise ValueError(f"must be some of {', '.join(TYPES)}")
    return EventTypes(tuple(each for each in TYPES if each in named))


def check_function(text: str) -> None:
    """Raise ValueError for what is not `package.module:function`."""
    if not _FUNCTION.fullmatch(text):
        raise ValueError("must be module:function, for example ours.mail:told")


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"must be base64 after {_PREFIX}") from None

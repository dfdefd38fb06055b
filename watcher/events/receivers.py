"""Who gets the events: a URL, or a function."""

from __future__ import annotations

import importlib
import json
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import httpcore

from config import events
from config.mongo import Document
from config.settings import Settings
from watcher.events import signing


#: Threads that deliver, each with a connection.
LANES = 8

#: Seconds.
_CONNECT, _ANSWER, _IDLE = 5.0, 15.0, 30.0
_TIMEOUTS = {"connect": _CONNECT, "read": _ANSWER, "write": _ANSWER, "pool": _ANSWER}
#: Bytes that are read of an answer; nobody looks at them.
_LONGEST_ANSWER = 65_536
#: The receiver speaks of this very event; another may be well.
_ABOUT_THE_EVENT = frozenset({400, 413, 415, 422})


class NotTaken(Exception):
    """The receiver did not take the event; `refused`: it will not take it later either."""

    def __init__(self, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.refused = refused


class Receiver(Protocol):
    """Takes events, from several threads at once."""

    def take(self, event: Document) -> None:
        """Give it one event. Raises NotTaken."""


class Url:
    """Posts each event as CloudEvents' structured JSON, signed."""

    def __init__(self, url: str, keys: Sequence[bytes], *, connections: int) -> None:
        self._url = url
        self._keys = keys
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=connections,
            keepalive_expiry=_IDLE,
        )

    def take(self, event: Document) -> None:
        """Post it; 2xx means taken. Redirections are not followed. Raises NotTaken."""
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        headers = [
            (b"content-type", b"application/cloudevents+json; charset=utf-8"),
            (b"user-agent", b"mailtrigger"),
            *signing.headers(self._keys, event["id"], body, int(time.time())),
        ]
        try:
            status = self._post(headers, body)
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            OSError,
        ) as error:
            raise NotTaken(f"{type(error).__name__}: {error}") from error
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own numbers
            raise NotTaken(f"answered {status}", refused=status in _ABOUT_THE_EVENT)

    def close(self) -> None:
        """Close its connections."""
        self._pool.close()

    def _post(self, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> int:
        extensions = {"timeout": _TIMEOUTS}
        with self._pool.stream(
            "POST", self._url, headers=headers, content=body, extensions=extensions
        ) as answer:
            length = 0
            for chunk in answer.iter_stream():  # to its end: then the connection can be used again
                length += len(chunk)
                if length > _LONGEST_ANSWER:
                    break
            return answer.status


class Function:
    """Calls a function with each event; what it raises means: again later."""

    def __init__(self, function: Callable[[Document], object]) -> None:
        self._function = function

    def take(self, event: Document) -> None:
        """Call it. Raises NotTaken."""
        try:
            self._function(event)
        except Exception as error:
            raise NotTaken(f"{type(error).__name__}: {error}") from error


class NoReceiver(Exception):
    """The settings name none that is there."""


def of(settings: Settings) -> Receiver:
    """Make the one that the settings name; raises NoReceiver."""
    if settings.events_url is not None and settings.events_secret is not None:
        keys = events.keys(settings.events_secret.get_secret_value())
        return Url(settings.events_url.get_secret_value(), keys, connections=LANES)
    if settings.events_handler is None:
        raise NoReceiver("neither EVENTS_URL nor EVENTS_HANDLER is set")
    try:
        return _load(settings.events_handler)
    except (ImportError, AttributeError, TypeError) as error:
        raise NoReceiver(f"EVENTS_HANDLER: {error}") from error


def _load(name: str) -> Function:
    module, _, path = name.partition(":")
    found: object = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{name} is no function")
    return Function(found)

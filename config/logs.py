"""Logs: one line an event on stderr, JSON in production, coloured at a terminal.

structlog's loggers and the standard library's (Celery, kombu, pymongo) leave by the same door.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


Format = Literal["auto", "json", "console"]

#: A line or two for every task: our own line of the batch says more.
_CHATTY_AT_INFO = ("celery.worker.strategy", "celery.app.trace")
#: Their DEBUG is a line for every command and every frame.
_CHATTY_AT_DEBUG = ("pymongo", "kombu", "amqp", "asyncio", "urllib3")

#: The driver's errors quote the server's whole answer, which quotes what was to be written; and the
#: server quotes a key that is there already, which may be an address.
_QUOTED = re.compile(r", full error: \{[^\n]*|(?<=dup key: )\{[^\n]*")
_WORD = re.compile(r"\S+")
#: What a terminal would obey, and what would look like another line of the log.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def configure(level: str = "INFO", format: Format = "auto") -> None:  # noqa: A001, RUF100
    """Set up every logger of this process; called once, before the first line.

    `format` auto: console when stderr is a terminal, JSON when not. Celery calls it through its
    `setup_logging` signal, and then leaves logging alone.
    """
    console = format == "console" or (format == "auto" and sys.stderr.isatty())
    number = logging.getLevelNamesMapping()[level]
    shared = _shared_processors()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, console=console))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(number)
    _quieten(number)
    logging.captureWarnings(capture=True)


def redact(text: str) -> str:
    """Mask the password of every URI in a text, in time that grows with its length only."""
    return _WORD.sub(lambda word: _without_password(word[0]), text) if "://" in text else text


def escape(text: str) -> str:
    """Show what a terminal would obey, and line breaks, as Python writes them."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def _without_password(word: str) -> str:
    """`scheme://user:password@`, up to the last @: an unencoded password may hold any."""
    start, end = word.find("://"), word.rfind("@")
    colon = word.find(":", start + len("://")) if start >= 0 else -1
    return f"{word[:colon]}:***{word[end:]}" if 0 <= colon < end else word


def _shared_processors() -> list[Processor]:
    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(shared: list[Processor], *, console: bool) -> logging.Formatter:
    renderers: list[Processor] = (
        [
            _escape,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
        if console
        else [structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_documents,
            *renderers,
            _redact_line,
        ],
    )


def _without_documents(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _unquoted(value) for name, value in event.items()}


def _unquoted(value: object) -> object:
    if isinstance(value, str):
        return _QUOTED.sub("", value) if ": {" in value else value
    if isinstance(value, dict):
        return {name: _unquoted(each) for name, each in value.items()}
    return [_unquoted(each) for each in value] if isinstance(value, list | tuple) else value


# JSON does the same by itself. A traceback keeps its line breaks.
def _escape(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _shown(name, value) for name, value in event.items()}


def _shown(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value  # shown by its repr
    lines = value.split("\n") if name == "exception" else [value]
    return "\n".join(map(escape, lines))


# On the finished line, so that nothing nested and no exception's text escapes it.
def _redact_line(_logger: WrappedLogger, _method: str, line: EventDict | str) -> str:
    return redact(str(line))


def _quieten(level: int) -> None:
    for name in _CHATTY_AT_INFO:
        logging.getLogger(name).setLevel(
            max(level, logging.WARNING) if level > logging.DEBUG else 0
        )
    for name in _CHATTY_AT_DEBUG:
        logging.getLogger(name).setLevel(max(level, logging.INFO))

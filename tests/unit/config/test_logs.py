from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
import structlog
from pymongo.errors import BulkWriteError, DuplicateKeyError

from config import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Give the logging of pytest back as it was."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


class Stderr:
    """What the process has printed so far."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self._text = ""

    def text(self) -> str:
        self._text += self._capture.readouterr().err
        return self._text

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Stderr:
    """What the process prints."""
    return Stderr(capsys)


def _fail(text: str) -> NoReturn:
    raise RuntimeError(text)


def test_json_lines(stderr: Stderr) -> None:
    """Not at a terminal, each event is one JSON object with its time in UTC."""
    logs.configure("INFO")
    structlog.get_logger("ours").info("mail.sent", id=7)
    logging.getLogger("theirs").warning("%s went wrong", "it")

    ours, theirs = stderr.lines()

    assert (ours["event"], ours["level"], ours["logger"], ours["id"]) == (
        "mail.sent",
        "info",
        "ours",
        7,
    )
    assert theirs["event"] == "it went wrong"
    assert ours["timestamp"].endswith("Z")
    assert theirs["timestamp"].endswith("Z")


def test_exception_is_in_the_line(stderr: Stderr) -> None:
    """A traceback is a field of its event, not loose lines."""
    logs.configure("INFO")
    try:
        _fail("boom")
    except RuntimeError:
        logging.getLogger("theirs").exception("failed")

    [line] = stderr.lines()

    assert "RuntimeError: boom" in line["exception"]


@pytest.mark.parametrize("format", ["json", "console"])
def test_passwords_of_uris_are_masked(stderr: Stderr, format: logs.Format) -> None:
    """A URI's password appears nowhere: event, values however deep, exceptions."""
    logs.configure("INFO", format)
    uri = "smtp://me:se/c@ret@mx.example.com"
    log = structlog.get_logger("ours")
    try:
        _fail(f"cannot open {uri}")
    except RuntimeError:
        log.exception("failed", reason=f"at {uri}", uri=uri, deep={"a": [uri]})
    logging.getLogger("theirs").error("at %s", uri)

    printed = stderr.text()

    assert "ret" not in printed
    assert printed.count("smtp://me:***@mx.example.com") >= 5


def test_level(stderr: Stderr) -> None:
    """Events below the level are dropped, ours and others'."""
    logs.configure("WARNING")
    structlog.get_logger("ours").info("quiet")
    logging.getLogger("theirs").info("quiet")
    structlog.get_logger("ours").warning("loud")

    assert [line["event"] for line in stderr.lines()] == ["loud"]


def test_celerys_two_lines_a_task_are_left_out(stderr: Stderr) -> None:
    """At INFO the worker does not say twice what our own line says better; errors stay."""
    logs.configure("INFO")
    logging.getLogger("celery.worker.strategy").info("Task received")
    logging.getLogger("celery.app.trace").info("Task succeeded")
    logging.getLogger("celery.app.trace").error("Task raised")

    assert [line["event"] for line in stderr.lines()] == ["Task raised"]


def test_drivers_are_quiet_at_debug(stderr: Stderr) -> None:
    """At DEBUG we see our own events, not every command of the MongoDB driver."""
    logs.configure("DEBUG")
    logging.getLogger("pymongo.command").debug("find")
    logging.getLogger("celery.worker.strategy").info("Task received")
    structlog.get_logger("ours").debug("here")

    assert [line["event"] for line in stderr.lines()] == ["Task received", "here"]


def test_console(stderr: Stderr) -> None:
    """LOG_FORMAT=console is for eyes, wherever it goes."""
    logs.configure("INFO", "console")
    structlog.get_logger("ours").info("mail.sent", id=7)

    assert "mail.sent" in stderr.text()
    assert not stderr.text().startswith("{")


def test_masking_costs_in_proportion() -> None:
    """An id of a document may hold thousands of colons and slashes, and a line many ids."""
    started = time.process_time()

    assert logs.redact("://a:" * 100_000 + " redis://:secret@host").endswith(" redis://:***@host")

    assert time.process_time() - started < 2


@pytest.mark.parametrize("format", ["json", "console"])
def test_ids_cannot_forge_lines_or_steer_the_terminal(stderr: Stderr, format: logs.Format) -> None:
    """Whoever inserts a document chooses its `_id`, and an operator reads it."""
    logs.configure("INFO", format)
    hostile = "a\x1b[2J\x9b\r\nforged\u2028\u202e\0"
    structlog.get_logger("ours").info("mail.failed", id=hostile, ids=[hostile])
    logging.getLogger("theirs").error("of %s", hostile)

    first, second = stderr.text().splitlines()

    assert "forged" in first
    assert "forged" in second
    assert not set(hostile) & set("\r\n\x9b\u2028\u202e\0") & set(first + second)
    assert "\x1b[2J" not in first + second


@pytest.mark.parametrize("format", ["json", "console"])
def test_documents_in_mongodbs_errors_are_left_out(stderr: Stderr, format: logs.Format) -> None:
    """The driver quotes what was to be written: recipients, whatever a document holds."""
    logs.configure("INFO", format)
    write = {"q": {"_id": 1}, "u": {"$set": {"delivery.info.accepted": ["jo@example.com"]}}}
    failed = {"index": 0, "code": 91, "errmsg": "shutting down", "op": write}
    error = BulkWriteError({"writeErrors": [failed], "writeConcernErrors": []})
    key = (
        'E11000 duplicate key error collection: a.b index: _id_ dup key: { _id: "jo@example.com" }'
    )
    log = structlog.get_logger("ours")
    log.warning("results.waiting", error=str(error), deep={"a": [repr(error)]})
    twice = DuplicateKeyError(key, 11000, {"errmsg": key})
    log.error("mail.not_told", exc_info=twice)
    logging.getLogger("theirs").error("raised unexpected: %r", error)

    printed = stderr.text()

    assert "jo@example.com" not in printed
    assert printed.count("batch op errors occurred") == 3
    assert "E11000 duplicate key error" in printed


def test_a_traceback_keeps_its_lines_at_a_terminal(stderr: Stderr) -> None:
    """Only what an exception's text brings of control characters is escaped."""
    logs.configure("INFO", "console")
    try:
        _fail("boom \x1b[2J")
    except RuntimeError:
        structlog.get_logger("ours").exception("failed")

    assert "\nRuntimeError: boom \\x1b[2J" in stderr.text()


def test_configuring_twice_prints_once(stderr: Stderr) -> None:
    """Celery and we may both configure; lines are not doubled."""
    logs.configure("INFO")
    logs.configure("INFO")
    logging.getLogger("theirs").info("once")

    assert len(stderr.lines()) == 1

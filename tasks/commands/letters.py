"""The document of a mail that is written at the command line."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bson import json_util
from bson.errors import BSONError
from bson.json_util import JSONOptions

from config.mongo import Document
from tasks.lanes import Lane


#: A document has room for 16 MB; what is larger need not be read.
_LARGEST = 16 * 1024 * 1024
_OPTIONS = JSONOptions(tz_aware=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What the flags say; None: not given."""

    to: list[str] | None = None
    cc: list[str] | None = None
    bcc: list[str] | None = None
    sender: str | None = None
    reply_to: str | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    attach: list[Path] | None = None
    template: str | None = None
    data: str | None = None
    priority: str | None = None
    transport: str | None = None
    send_at: str | None = None
    idempotency_key: str | None = None


def document(file: Path | None, letter: Letter) -> Document:
    """Make the document: the file's, with the flags put over it. Raises ValueError.

    What is in it is the worker's to judge: its words stand in `delivery.error`.
    """
    made = _document_in(file) if file is not None else {}
    made |= _given(
        to=letter.to,
        cc=letter.cc,
        bcc=letter.bcc,
        replyTo=letter.reply_to,
        priority=_priority(letter.priority),
        transport=letter.transport,
        sendAt=_time(letter.send_at),
        idempotencyKey=letter.idempotency_key,
        **{"from": letter.sender},
    )
    message = _given(
        subject=letter.subject,
        text=_said("--text", letter.text),
        html=_said("--html", letter.html),
        attachments=_attachments(letter.attach),
    )
    if message:
        made["message"] = _map(made, "message") | message
    template = _given(name=letter.template, data=_data(letter.data))
    if template:
        made["template"] = _map(made, "template") | template
    if not made:
        raise ValueError("nothing to send: say --to, --subject and --text, or name a JSON file")
    return made


def _given(**values: Any) -> Document:
    return {name: value for name, value in values.items() if value is not None}


def _map(made: Document, name: str) -> Document:
    value = made.get(name) or {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a map in the file")  # noqa: TRY004 - one kind of error for all of them
    return value


def _document_in(file: Path) -> Document:
    name = "stdin" if str(file) == "-" else str(file)
    text = sys.stdin.read(_LARGEST + 1) if str(file) == "-" else _text_of(file)
    value = _json(name, text)
    if not isinstance(value, dict):
        raise ValueError(f"{name}: must hold one JSON map, the document")  # noqa: TRY004 - as above
    return value


def _json(name: str, text: str) -> Any:
    """Read JSON; MongoDB's Extended JSON for dates and binary."""
    try:
        return json_util.loads(text, json_options=_OPTIONS)
    except (ValueError, TypeError, RecursionError, OverflowError, BSONError) as error:
        raise ValueError(f"{name}: is not JSON: {error}") from None


def _text_of(file: Path) -> str:
    try:
        return _bytes_of(file).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{file}: is not UTF-8") from None


def _bytes_of(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise ValueError(f"{file}: cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise ValueError(f"{file}: is larger than a document may be (16 MB)")
    return content


def _said(option: str, value: str | None) -> str | None:
    if value is None or not value.startswith("@"):
        return value
    if len(value) == 1:
        raise ValueError(f"{option}: name a file behind the @")
    return _text_of(Path(value[1:]))


def _data(value: str | None) -> Any:
    text = _said("--data", value)
    return None if text is None else _json("--data", text)


def _attachments(files: list[Path] | None) -> list[Document] | None:
    if not files:
        return None
    return [{"filename": file.name, "content": _bytes_of(file)} for file in files]


def _priority(text: str | None) -> str | None:
    if text is not None and text not in list(Lane):
        raise ValueError(f"--priority: {text!r} is no priority: {', '.join(Lane)}")
    return text


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"--send-at: {text!r} is no time: write 2026-03-01T12:00 (UTC) or …+01:00"
        ) from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)

"""What is wrong with a document, in plain words: one line for each problem, with its path."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from bson import (
    Binary,
    Code,
    DatetimeMS,
    DBRef,
    Decimal128,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tasks.errors import InvalidDocument, Problem, ProblemCode, Transient


#: How many problems are listed: a thousand wrong values have one cause.
MAX_PROBLEMS = 20
_MAX_QUOTED = 60

#: How tags of the schema's unions begin, which are no part of a path; no BSON key can hold NUL.
TAG = "\0"

_PLAIN_KEY = re.compile(r"[\w$@-]{1,60}", re.ASCII)

#: BSON's kinds of values, in the words of MongoDB's manual; the first that fits counts.
_KINDS: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("null", type(None)),
    ("a boolean", bool),
    ("JavaScript code", Code),
    ("a string", str),
    ("a number", (int, float, Decimal128)),
    ("a map", Mapping),
    ("a list", (list, tuple)),
    ("binary", (bytes, Binary, UUID)),
    ("a date", (datetime, DatetimeMS)),
    ("an ObjectId", ObjectId),
    ("a timestamp", Timestamp),
    ("a regular expression", (Regex, re.Pattern)),
    ("a DBRef", DBRef),
    ("a MinKey", MinKey),
    ("a MaxKey", MaxKey),
)

#: What pydantic calls the problem → what the value must be.
_EXPECTED = {
    "string_type": "a string",
    "list_type": "a list",
    "lines_type": "a string or a list of strings",
    "dict_type": "a map",
    "model_type": "a map",
    "bool_type": "true or false",
}


class Problems:
    """Collects problems until they are raised together."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._where: set[str] = set()
        self._later: list[str] = []

    def __contains__(self, where: str) -> bool:
        return where in self._where

    def __len__(self) -> int:
        return len(self._found) + len(self._later)

    def add(self, where: str, what: str, code: ProblemCode = ProblemCode.INVALID_VALUE) -> None:
        """Note a problem: `where` is a path ("message.attachments.0.content") or several."""
        self._found.append(Problem(where, what, code))
        self._where.add(where)

    def postpone(self, where: str, what: str) -> None:
        """Note what is missing for now, and not the document's fault."""
        self._later.append(f"{where} {what}")

    def check(self) -> None:
        """Raise InvalidDocument if any problem was added; Transient if something is missing."""
        if self._found:
            raise _with_rest(self._found[:MAX_PROBLEMS], len(self._found))
        if self._later:
            raise Transient(self._later[0])


def of_schema(error: ValidationError) -> InvalidDocument:
    """Translate pydantic's errors; values are named by kind, never shown."""
    details = error.errors(include_url=False)
    listed = [
        Problem(_path_of(detail), _words(detail), _code(detail))
        for detail in details[:MAX_PROBLEMS]
    ]
    return _with_rest(listed, len(details))


def path(*parts: str | int) -> str:
    """Write a path as `message.attachments.0.cid`; unusual keys are quoted and shortened."""
    return ".".join(_key(part) for part in parts)


def quote(text: str) -> str:
    """Show a value in an error: as a JSON string, shortened."""
    if len(text) > _MAX_QUOTED:
        text = text[: _MAX_QUOTED - 1] + "…"
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "replace").decode()


def kind(value: Any) -> str:
    """Name the kind of a value, as "a map" or "binary"."""
    for words, types in _KINDS:
        if isinstance(value, types):
            return words
    return f"a {type(value).__name__}"


def _with_rest(listed: list[Problem], count: int) -> InvalidDocument:
    return InvalidDocument(listed, count - len(listed))


def _key(part: str | int) -> str:
    text = str(part)
    return text if _PLAIN_KEY.fullmatch(text) else quote(text)


def _path_of(detail: ErrorDetails) -> str:
    return path(*(part for part in detail["loc"] if not str(part).startswith(TAG)))


def _code(detail: ErrorDetails) -> ProblemCode:
    if detail["type"] in _EXPECTED:
        return ProblemCode.WRONG_TYPE
    return ProblemCode(detail.get("ctx", {}).get("code", ProblemCode.INVALID_VALUE))


def _words(detail: ErrorDetails) -> str:
    kind_of_error = detail["type"]
    if kind_of_error in _EXPECTED:
        return f"must be {_EXPECTED[kind_of_error]}, not {kind(detail['input'])}"
    if kind_of_error == "string_unicode":
        return "is not valid Unicode: it holds half of a surrogate pair"
    if kind_of_error == "literal_error":
        return f"must be {detail['ctx']['expected']}"
    return detail["msg"]

"""The kinds of values a document holds, each with its check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from bson import Code, DatetimeMS, ObjectId
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    Tag,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from tasks.errors import ProblemCode
from tasks.mail.problems import TAG, kind, quote


#: A 16 MB document can hold a million items; finding a problem in each would cost many seconds.
MAX_STRINGS = 10_000
MAX_ATTACHMENTS = 500
MAX_ALTERNATIVES = 20
MAX_HEADERS = 100
MAX_PART_HEADERS = 20
MAX_HEADER_VALUES = 20
#: No file system takes a longer name.
MAX_FILENAME = 255
MAX_KEY = 255
MAX_UID = 1024

#: A line break in a header value starts a header of the writer's choice (header injection).
_LINE_BREAK = re.compile(r"[\r\n\0]")

#: A token of RFC 9110, and headers that follow from the request itself.
_HTTP_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_NOT_OURS = (
    *("host", "connection", "content-length", "transfer-encoding", "accept-encoding"),
    *("te", "trailer", "upgrade", "expect", "range", "if-range", "if-modified-since"),
    *("if-none-match", "proxy-authorization"),
)

_ONE, _MANY = f"{TAG}one", f"{TAG}many"


def problem(text: str, code: ProblemCode = ProblemCode.INVALID_VALUE) -> PydanticCustomError:
    """Make the error of a field; `text` follows the field's path."""
    return PydanticCustomError("problem", "{text}", {"text": text, "code": code.value})


def _wrong_type(expected: str, value: Any) -> PydanticCustomError:
    return problem(f"must be {expected}, not {kind(value)}", ProblemCode.WRONG_TYPE)


def _no_code(value: Any) -> Any:
    if isinstance(value, Code):  # which is one of Python's strings
        raise _wrong_type("a string", value)
    return value


def _unicode(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise problem("is not valid Unicode: it holds half of a surrogate pair") from error
    return value


def _single_line(value: str) -> str:
    if _LINE_BREAK.search(value):
        raise problem("must not contain a line break (CR or LF) or NUL")
    return _unicode(value)


@dataclass(frozen=True, slots=True)
class _Bounded:
    """Lists and maps are not longer than `limit`; asked before their items are looked at."""

    limit: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        made = handler(schema)
        return {**made, "maxItems" if made["type"] == "array" else "maxProperties": self.limit}

    def _check(self, value: Any) -> Any:
        if isinstance(value, list | dict) and len(value) > self.limit:
            raise problem(
                f"has {len(value)} items; at most {self.limit} are allowed", ProblemCode.TOO_LARGE
            )
        return value


def bounded(limit: int) -> _Bounded:
    """Make the check for lists and maps that they are not longer than `limit`."""
    return _Bounded(limit)


def _date(value: Any) -> datetime | DatetimeMS:
    if isinstance(value, datetime | DatetimeMS):
        return value
    raise _wrong_type("a date", value)


def _filename(value: Any) -> str | Literal[False]:
    if value is False:
        return False
    if isinstance(value, str):
        if len(value) > MAX_FILENAME:
            raise problem(f"is longer than {MAX_FILENAME} characters", ProblemCode.TOO_LARGE)
        return _single_line(_no_code(value))
    raise _wrong_type("a string or false", value)


def _content(value: Any) -> str | bytes:
    if isinstance(value, str):
        return _unicode(_no_code(value))
    if isinstance(value, bytes):
        return value
    raise _wrong_type("a string or binary", value)


def _one_or_many(value: Any) -> str | None:
    if isinstance(value, str):
        return _ONE
    return _MANY if isinstance(value, list) else None


def _http_headers(value: dict[str, str | None]) -> dict[str, str | None]:
    for name, text in value.items():
        if not _HTTP_NAME.fullmatch(name) or name.lower() in _NOT_OURS:
            raise problem(f"must not have the header {quote(name)}")
        if text is not None and not (text.isascii() and text.isprintable()):
            raise problem(f"has a value of {quote(name)} that is not printable ASCII")
    return value


def _uid(value: Any) -> Any:
    # A regular expression, say, would find users that were not meant.
    if not isinstance(value, str | int | float | bytes | ObjectId) or isinstance(value, bool):
        raise _wrong_type("a string, a number, an ObjectId or binary", value)
    if isinstance(value, str | bytes) and len(value) > MAX_UID:
        raise problem(f"is longer than {MAX_UID} characters", ProblemCode.TOO_LARGE)
    return _unicode(_no_code(value)) if isinstance(value, str) else value


def _key(value: str) -> str:
    if not 0 < len(value) <= MAX_KEY:
        raise problem(f"must have 1 to {MAX_KEY} characters")
    return value


#: In JSON Schema: no line break, no NUL. `$` would let one pass at the end, in some engines.
_PATTERN = r"^[^\r\n\x00]*(?![\s\S])"
_LINE: dict[str, Any] = {"type": "string", "pattern": _PATTERN}

#: Text of any length, line breaks included.
Text = Annotated[
    str, BeforeValidator(_no_code), AfterValidator(_unicode), WithJsonSchema({"type": "string"})
]

#: Text that goes into a header.
Line = Annotated[
    str, BeforeValidator(_no_code), AfterValidator(_single_line), WithJsonSchema(_LINE)
]

#: The writer's name for what is to happen once.
Key = Annotated[
    Line, AfterValidator(_key), WithJsonSchema({**_LINE, "minLength": 1, "maxLength": MAX_KEY})
]

#: Headers of a request for a file.
HttpHeaders = Annotated[
    dict[str, Line | None], bounded(MAX_PART_HEADERS), AfterValidator(_http_headers)
]

#: The `_id` of a document, or a string that stands for it. "bsonType" in a JSON Schema: see
#: `json_schema`.
Uid = Annotated[
    Any,
    PlainValidator(_uid),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": MAX_UID},
                *({"bsonType": name} for name in ("int", "long", "double", "objectId", "binData")),
            ]
        }
    ),
]
Uids = Annotated[list[Uid | None], bounded(MAX_STRINGS)]

#: A string or a list of strings; see `lines`.
_EITHER = Discriminator(_one_or_many, custom_error_type="lines_type", custom_error_message="-")
_One = Annotated[Line, Tag(_ONE)]
_Values = Annotated[
    _One | Annotated[list[Line | None], bounded(MAX_HEADER_VALUES), Tag(_MANY)], _EITHER
]
Lines = Annotated[_One | Annotated[list[Line | None], bounded(MAX_STRINGS), Tag(_MANY)], _EITHER]

#: Header name → value or values. Names are checked by `custom_headers`.
HeaderMap = Annotated[dict[str, _Values | None], bounded(MAX_HEADERS)]
PartHeaderMap = Annotated[dict[str, _Values | None], bounded(MAX_PART_HEADERS)]

#: A BSON date, one outside Python's years 1 to 9999 too.
Date = Annotated[datetime | DatetimeMS, PlainValidator(_date), WithJsonSchema({"bsonType": "date"})]

Filename = Annotated[
    str | Literal[False],
    PlainValidator(_filename),
    WithJsonSchema({"anyOf": [{"enum": [False]}, {**_LINE, "maxLength": MAX_FILENAME}]}),
]
Content = Annotated[
    str | bytes,
    PlainValidator(_content),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"bsonType": "binData"}]}),
]


def lines(value: str | list[str | None] | None) -> list[str]:
    """Give a `Lines` field as a list; null means absent inside a list, too."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    return [line for line in value if line is not None]

"""The kinds of values a document holds, each with its check."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from bson import Code, DatetimeMS, ObjectId
from pydantic import AfterValidator, BeforeValidator, Discriminator, PlainValidator, Tag
from pydantic_core import PydanticCustomError

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


def problem(text: str) -> PydanticCustomError:
    """Make the error of a field; `text` follows the field's path."""
    return PydanticCustomError("problem", "{text}", {"text": text})


def _no_code(value: Any) -> Any:
    if isinstance(value, Code):  # which is one of Python's strings
        raise problem(f"must be a string, not {kind(value)}")
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


def bounded(limit: int) -> BeforeValidator:
    """Make the check for lists and maps that they are not longer than `limit`."""

    def check(value: Any) -> Any:
        if isinstance(value, list | dict) and len(value) > limit:
            raise problem(f"has {len(value)} items; at most {limit} are allowed")
        return value

    return BeforeValidator(check)


def _date(value: Any) -> datetime | DatetimeMS:
    if isinstance(value, datetime | DatetimeMS):
        return value
    raise problem(f"must be a date, not {kind(value)}")


def _filename(value: Any) -> str | Literal[False]:
    if value is False:
        return False
    if isinstance(value, str):
        if len(value) > MAX_FILENAME:
            raise problem(f"is longer than {MAX_FILENAME} characters")
        return _single_line(_no_code(value))
    raise problem(f"must be a string or false, not {kind(value)}")


def _content(value: Any) -> str | bytes:
    if isinstance(value, str):
        return _unicode(_no_code(value))
    if isinstance(value, bytes):
        return value
    raise problem(f"must be a string or binary, not {kind(value)}")


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
        raise problem(f"must be a string, a number, an ObjectId or binary, not {kind(value)}")
    if isinstance(value, str | bytes) and len(value) > MAX_UID:
        raise problem(f"is longer than {MAX_UID} characters")
    return _unicode(_no_code(value)) if isinstance(value, str) else value


def _key(value: str) -> str:
    if not 0 < len(value) <= MAX_KEY:
        raise problem(f"must have 1 to {MAX_KEY} characters")
    return value


#: Text of any length, line breaks included.
Text = Annotated[str, BeforeValidator(_no_code), AfterValidator(_unicode)]

#: Text that goes into a header.
Line = Annotated[str, BeforeValidator(_no_code), AfterValidator(_single_line)]

#: The writer's name for what is to happen once.
Key = Annotated[Line, AfterValidator(_key)]

#: Headers of a request for a file.
HttpHeaders = Annotated[
    dict[str, Line | None], bounded(MAX_PART_HEADERS), AfterValidator(_http_headers)
]

#: The `_id` of a document, or a string that stands for it.
Uid = Annotated[Any, PlainValidator(_uid)]
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
Date = Annotated[datetime | DatetimeMS, PlainValidator(_date)]

Filename = Annotated[str | Literal[False], PlainValidator(_filename)]
Content = Annotated[str | bytes, PlainValidator(_content)]


def lines(value: str | list[str | None] | None) -> list[str]:
    """Give a `Lines` field as a list; null means absent inside a list, too."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    return [line for line in value if line is not None]

"""What attachments, alternatives and calendar events have in common: content, name, type, headers.

A faulty field is noted and reading goes on, to find the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.errors import ProblemCode
from tasks.mail import content_encodings, custom_headers, headers, media_types, raw_part
from tasks.mail.elsewhere import Elsewhere, elsewhere
from tasks.mail.fields import lines
from tasks.mail.gathered import File, Gathered, Key
from tasks.mail.media_types import MediaType
from tasks.mail.parts import Leaf
from tasks.mail.problems import Problems, path
from tasks.mail.schema import Alternative, Part


_FIELD_FOR = {
    "content-type": "is not allowed: use contentType",
    "content-disposition": "is not allowed: use contentDisposition and filename",
    "content-id": "is not allowed: use cid",
    "content-transfer-encoding": "is not allowed: it follows from the content",
    "mime-version": "is not allowed: it belongs to the whole mail",
}


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes, and what their source says of them."""

    data: bytes = b""
    charset: str | None = None
    #: The media type: of a data: URI, or, less binding, of a file.
    type: str = ""
    file_type: str = ""
    name: str = ""
    #: The field they come from.
    field: str = "content"


class PartReader:
    """Reads one part; `key` is its path, such as ("message", "attachments", 0)."""

    def __init__(self, part: Part, key: Key, gathered: Gathered, problems: Problems) -> None:
        self._part = part
        self._key = key
        self._gathered = gathered
        self._problems = problems

    def note(self, what: str, *field: str, code: ProblemCode = ProblemCode.INVALID_VALUE) -> None:
        """Add a problem of this part, or of a field of it."""
        self._problems.add(path(*self._key, *field), what, code)

    def content(self) -> Content:
        """Read what it is made of; empty when that is wrong or missing."""
        given = self._part
        if where := elsewhere(given):
            return self._from(where)
        field = "content" if given.content is not None else "path" if given.path else "href"
        try:
            if isinstance(given.content, bytes):
                data = bytes(given.content)
                return Content(data, _charset_of(data))
            if given.content is not None:
                decoded = content_encodings.decode(given.content, given.encoding)
                return Content(decoded.data, decoded.charset or _charset_of(decoded.data))
            if uri := given.path or given.href:
                type, data = content_encodings.decode_data_uri(uri)
                return Content(data, _charset_of(data), type, field=field)
        except content_encodings.UnknownEncoding as error:
            self.note(str(error), "encoding")
        except ValueError as error:
            self.note(str(error), field)
        else:
            self.note("has no content", code=ProblemCode.MISSING)
        return Content()

    def _from(self, where: Elsewhere) -> Content:
        found = self._gathered.files.get(self._key)
        if isinstance(found, File):
            return Content(
                found.data,
                _charset_of(found.data),
                file_type=found.type,
                name=found.name,
                field=where.field,
            )
        if found is None:
            needed = f"needs the setting {where.place.value}"
            self.note(needed, where.field, code=ProblemCode.NEEDS_SETTING)
        elif found.transient:
            self._problems.postpone(path(*self._key, where.field), found.text)
        else:
            self.note(found.text, where.field, code=ProblemCode.UNOBTAINABLE)
        return Content(field=where.field)

    def media_type(self, part: Alternative, content: Content, default: str) -> MediaType:
        """Tell the type: the document's word, the file name's, the file's, or `default`.

        Text says its charset, where it is known.
        """
        field = "contentType" if part.content_type else content.field
        by_name = media_types.guess(self.name()) or media_types.guess(content.name)
        media_type = (
            MediaType(by_name) if by_name else _of_file(content.file_type) or MediaType(default)
        )
        try:
            text = part.content_type or content.type
            media_type = media_types.parse(text) if text else media_type
        except ValueError as error:
            self.note(str(error), field)
        if media_type.type.startswith("multipart/"):
            self.note("must not be multipart: use raw for that", field)
        if content.charset and media_type.type.startswith("text/"):
            return media_type.with_parameter("charset", content.charset)
        return media_type

    def name(self) -> str:
        """Give the file's name, "" when it has none."""
        # Mail programs drop blanks around a name, or all of it.
        return (self._part.filename or "").strip()

    def own_headers(self) -> list[str]:
        """Write `headers`."""
        written: list[str] = []
        for name, values in (self._part.headers or {}).items():
            fault = custom_headers.name_fault(name) or _FIELD_FOR.get(name.lower())
            if fault:
                self.note(fault, "headers", name)
            else:
                written += [headers.unstructured(name, value) for value in lines(values)]
        return written

    def raw(self, raw: str | bytes) -> Leaf:
        """Take a whole part as it is."""
        try:
            return raw_part.parse(raw)
        except ValueError as error:
            self.note(str(error), "raw")
            return Leaf((), b"")


def _of_file(text: str) -> MediaType | None:
    """Read a type that a server or another program wrote: when it is wrong, nobody here is."""
    try:
        found = media_types.parse(text)
    except ValueError:
        return None
    return None if found.type.startswith("multipart/") else found


def _charset_of(data: bytes) -> str | None:
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"

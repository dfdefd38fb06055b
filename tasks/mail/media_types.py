"""Media types (RFC 2045 section 5.1): their syntax, and which one a file name suggests."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, replace


UNKNOWN = "application/octet-stream"

#: A "token" of RFC 2045.
_WORD = r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_TYPE = re.compile(rf"\s*({_WORD}/{_WORD})\s*")
_PARAMETER = re.compile(rf";\s*(?:({_WORD})=({_WORD}|{_QUOTED})\s*)?")
_MAX_LENGTH = 200

#: What Python's own table lacks in one of the versions we run on.
_MORE_TYPES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".epub": "application/epub+zip",
    ".gz": "application/gzip",
    ".tgz": "application/gzip",
    ".7z": "application/x-7z-compressed",
    ".ics": "text/calendar",
    ".vcf": "text/vcard",
    ".md": "text/markdown",
    ".log": "text/plain",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".eml": "message/rfc822",
    ".p7s": "application/pkcs7-signature",
}


def _table() -> mimetypes.MimeTypes:
    # Not the system's files: the same document must make the same mail on every machine.
    table = mimetypes.MimeTypes(filenames=())
    for extension, type in _MORE_TYPES.items():
        table.add_type(type, extension)
    return table


_TABLE = _table()


@dataclass(frozen=True, slots=True)
class MediaType:
    """`type` in lower case, "text/csv"; the values of `parameters` are unquoted."""

    type: str
    parameters: tuple[tuple[str, str], ...] = ()

    def has(self, parameter: str) -> bool:
        return any(name == parameter for name, _ in self.parameters)

    def with_parameter(self, name: str, value: str) -> MediaType:
        """Add a parameter unless it is there."""
        if self.has(name):
            return self
        return replace(self, parameters=(*self.parameters, (name, value)))


def parse(text: str) -> MediaType:
    """Read `type/subtype; name=value; …`; raises ValueError."""
    match = _TYPE.match(text)
    if match is None or len(text) > _MAX_LENGTH:
        raise ValueError('must look like "text/csv" or "text/csv; charset=utf-8"')
    parameters: list[tuple[str, str]] = []
    position = match.end()
    while position < len(text):
        found = _PARAMETER.match(text, position)
        if found is None:
            raise ValueError('has parameters that do not look like "; name=value"')
        if found[1]:
            parameters.append((found[1].lower(), _unquoted(found[2])))
        position = found.end()
    return MediaType(match[1].lower(), tuple(parameters))


def guess(filename: str) -> str:
    """Give the type for a file name, "" when it says nothing."""
    stem, dot, extension = filename.rpartition(".")
    if not stem or not dot:
        return ""
    return _TABLE.types_map[True].get(f".{extension.lower()}", "")


def extension(type: str) -> str:
    """Give the usual extension for a type, ".bin" when there is none."""
    return _TABLE.guess_extension(type) or ".bin"


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value

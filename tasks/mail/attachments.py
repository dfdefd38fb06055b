"""Attachments in nodemailer's shape → parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.mail import bodies, content_encodings, custom_headers, headers, media_types
from tasks.mail.content_encodings import Decoded
from tasks.mail.fields import lines
from tasks.mail.media_types import MediaType
from tasks.mail.parts import Leaf
from tasks.mail.problems import Problems, path, quote
from tasks.mail.schema import Attachment


_PATH = ("message", "attachments")

#: A content id, printable ASCII without what ends it (RFC 2392, RFC 5322 3.6.4).
_CID = re.compile(r"<?([!-;=?-~]{1,200})>?")
_DISPOSITIONS = ("attachment", "inline")

_FIELD_FOR = {
    "content-type": "is not allowed: use contentType",
    "content-disposition": "is not allowed: use contentDisposition and filename",
    "content-id": "is not allowed: use cid",
    "content-transfer-encoding": "is not allowed: it follows from the content",
    "mime-version": "is not allowed: it belongs to the whole mail",
}


@dataclass(frozen=True, slots=True)
class AttachedParts:
    """`inline`: those with a cid, which the HTML shows in its text; `attached`: the others."""

    inline: tuple[Leaf, ...] = ()
    attached: tuple[Leaf, ...] = ()


def read(attachments: Sequence[Attachment | None] | None, problems: Problems) -> AttachedParts:
    """Make the parts; what is wrong with an attachment goes into `problems`."""
    inline: list[Leaf] = []
    attached: list[Leaf] = []
    for index, attachment in enumerate(attachments or ()):
        if attachment is not None:
            leaf = _Reader(attachment, index, problems).leaf()
            (inline if attachment.cid else attached).append(leaf)
    return AttachedParts(tuple(inline), tuple(attached))


class _Reader:
    """Reads one attachment; a faulty field is noted and reading goes on, to find the others."""

    def __init__(self, attachment: Attachment, index: int, problems: Problems) -> None:
        self._attachment = attachment
        self._index = index
        self._problems = problems

    def leaf(self) -> Leaf:
        type, decoded = self._content()
        media_type = self._media_type(type, decoded)
        filename = self._filename(media_type)
        cid = self._cid()
        disposition = self._disposition(default="inline" if cid else "attachment")
        media_type, encoding, body = _transferable(media_type, decoded.data)
        if filename:
            media_type = media_type.with_parameter("name", filename)
        own = [
            headers.with_parameters("Content-Type", media_type.type, media_type.parameters),
            f"Content-Transfer-Encoding: {encoding}",
            headers.with_parameters(
                "Content-Disposition", disposition, [("filename", filename)] if filename else []
            ),
        ]
        if cid:
            own.append(f"Content-ID: <{cid}>")
        return Leaf((*own, *self._own_headers()), body)

    def _path(self, *field: str) -> str:
        return path(*_PATH, self._index, *field)

    def _content(self) -> tuple[str, Decoded]:
        """Give the media type that the source names ("" for none), and the bytes."""
        given = self._attachment
        where, nothing = "content", ("", Decoded(b""))
        try:
            if isinstance(given.content, bytes):
                return "", Decoded(bytes(given.content))
            if given.content is not None:
                return "", content_encodings.decode(given.content, given.encoding)
            where = self._source
            if uri := given.path or given.href:
                type, data = content_encodings.decode_data_uri(uri)
                return type, Decoded(data)
        except content_encodings.UnknownEncoding as error:
            self._problems.add(self._path("encoding"), str(error))
        except ValueError as error:
            self._problems.add(self._path(where), str(error))
        else:
            self._problems.add(self._path(), "has no content")
        return nothing

    @property
    def _source(self) -> str:
        return "path" if self._attachment.path else "href"

    def _media_type(self, of_source: str, decoded: Decoded) -> MediaType:
        text = self._attachment.content_type or of_source
        where = "contentType" if self._attachment.content_type else self._source
        media_type = MediaType(media_types.guess(self._given_name()))
        try:
            media_type = media_types.parse(text) if text else media_type
        except ValueError as error:
            self._problems.add(self._path(where), str(error))
        if media_type.type.startswith("multipart/"):
            self._problems.add(
                self._path(where), "must not be multipart: an attachment is one part"
            )
        charset = decoded.charset or _charset_of(decoded.data)
        if charset and media_type.type.startswith("text/"):
            return media_type.with_parameter("charset", charset)
        return media_type

    def _filename(self, media_type: MediaType) -> str:
        """Name an unnamed file, as nodemailer does; `filename: false` leaves it without a name."""
        if self._attachment.filename is False:
            return ""
        return (
            self._given_name()
            or f"attachment-{self._index + 1}{media_types.extension(media_type.type)}"
        )

    def _given_name(self) -> str:
        # Mail programs drop blanks around a name, or all of it.
        return (self._attachment.filename or "").strip()

    def _cid(self) -> str | None:
        if not self._attachment.cid:
            return None
        match = _CID.fullmatch(self._attachment.cid.strip())
        if match is None:
            self._problems.add(
                self._path("cid"), "must be at most 200 printable ASCII characters without spaces"
            )
            return None
        return match[1]

    def _own_headers(self) -> list[str]:
        written: list[str] = []
        for name, values in (self._attachment.headers or {}).items():
            fault = custom_headers.name_fault(name) or _FIELD_FOR.get(name.lower())
            if fault:
                self._problems.add(self._path("headers", name), fault)
            else:
                written += [headers.unstructured(name, value) for value in lines(values)]
        return written

    def _disposition(self, default: str) -> str:
        given = self._attachment.content_disposition
        if not given:
            return default
        if given.lower() not in _DISPOSITIONS:
            self._problems.add(
                self._path("contentDisposition"),
                f'must be "attachment" or "inline", not {quote(given)}',
            )
        return given.lower()


def _charset_of(data: bytes) -> str | None:
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _transferable(media_type: MediaType, data: bytes) -> tuple[MediaType, str, bytes]:
    """Encode the bytes: base64, except for an attached mail.

    RFC 2046 5.2.1 forbids base64 for message/rfc822. A mail that plain 7bit cannot carry goes as
    a file of unknown type, its name unchanged.
    """
    if not media_type.type.startswith("message/"):
        return media_type, "base64", bodies.base64_lines(data)
    if data.isascii():
        lines = bodies.crlf(data.decode()).encode()
        if bodies.fits_on_lines(lines):
            return media_type, "7bit", lines
    return MediaType(media_types.UNKNOWN), "base64", bodies.base64_lines(data)

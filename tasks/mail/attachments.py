"""Attachments in nodemailer's shape → parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.mail import bodies, headers, media_types
from tasks.mail.fields import MAX_FILENAME
from tasks.mail.gathered import Gathered
from tasks.mail.media_types import MediaType
from tasks.mail.part_reader import Content, PartReader
from tasks.mail.parts import FileFacts, Leaf
from tasks.mail.problems import Problems, quote
from tasks.mail.schema import Attachment


#: A content id, printable ASCII without what ends it (RFC 2392, RFC 5322 3.6.4).
_CID = re.compile(r"<?([!-;=?-~]{1,200})>?")
#: What has no business in a file's name, whoever gave it.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f/\\\ud800-\udfff]")
_DISPOSITIONS = ("attachment", "inline")


@dataclass(frozen=True, slots=True)
class AttachedParts:
    """`inline`: those with a cid, which the HTML shows in its text; `attached`: the others."""

    inline: tuple[Leaf, ...] = ()
    attached: tuple[Leaf, ...] = ()


def read(
    attachments: Sequence[Attachment | None] | None, gathered: Gathered, problems: Problems
) -> AttachedParts:
    """Make the parts; what is wrong with an attachment goes into `problems`."""
    inline: list[Leaf] = []
    attached: list[Leaf] = []
    for index, attachment in enumerate(attachments or ()):
        if attachment is not None:
            leaf = _Reader(attachment, index, gathered, problems).leaf()
            (inline if attachment.cid else attached).append(leaf)
    return AttachedParts(tuple(inline), tuple(attached))


def file_part(media_type: MediaType, data: bytes, facts: FileFacts) -> Leaf:
    """Make the part of a file."""
    media_type, encoding, body = _transferable(media_type, data)
    names = [("filename", facts.name)] if facts.name else []
    if facts.name:
        media_type = media_type.with_parameter("name", facts.name)
    own = [
        headers.with_parameters("Content-Type", media_type.type, media_type.parameters),
        f"Content-Transfer-Encoding: {encoding}",
        headers.with_parameters("Content-Disposition", facts.disposition, names),
    ]
    if facts.content_id:
        own.append(f"Content-ID: <{facts.content_id}>")
    return Leaf((*own, *facts.more), body, facts)


class _Reader(PartReader):
    """Reads one attachment."""

    def __init__(
        self, attachment: Attachment, index: int, gathered: Gathered, problems: Problems
    ) -> None:
        super().__init__(attachment, ("message", "attachments", index), gathered, problems)
        self._attachment = attachment
        self._index = index

    def leaf(self) -> Leaf:
        if self._attachment.raw is not None:
            return self.raw(self._attachment.raw)
        content = self.content()
        media_type = self.media_type(self._attachment, content, media_types.UNKNOWN)
        cid = self._cid()
        facts = FileFacts(
            name=self._filename(content, media_type),
            type=media_type.type,
            disposition=self._disposition(default="inline" if cid else "attachment"),
            content_id=cid,
            more=tuple(self.own_headers()),
        )
        return file_part(media_type, content.data, facts)

    def _filename(self, content: Content, media_type: MediaType) -> str:
        """Name an unnamed file, as nodemailer does; `filename: false` leaves it without a name."""
        if self._attachment.filename is False:
            return ""
        if name := self.name():
            return name
        name = _UNPRINTABLE.sub("", content.name).strip()[-MAX_FILENAME:]
        if "." not in name:
            extension = media_types.extension(media_type.type)
            name = f"{name or f'attachment-{self._index + 1}'}{extension}"
        return name

    def _cid(self) -> str | None:
        if not self._attachment.cid:
            return None
        match = _CID.fullmatch(self._attachment.cid.strip())
        if match is None:
            self.note("must be at most 200 printable ASCII characters without spaces", "cid")
            return None
        return match[1]

    def _disposition(self, default: str) -> str:
        given = self._attachment.content_disposition
        if not given:
            return default
        if given.lower() not in _DISPOSITIONS:
            self.note(f'must be "attachment" or "inline", not {quote(given)}', "contentDisposition")
        return given.lower()


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

"""The tree of a MIME message (RFC 2045, 2046): leaves with bytes, multiparts with children."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a part's headers say of a file, before they are written."""

    #: "" for none.
    name: str
    type: str
    disposition: str = "attachment"
    content_id: str | None = None
    #: The part's further header lines.
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part ready for the wire: complete header lines, and the body in its transfer encoding."""

    headers: tuple[str, ...]
    body: bytes
    #: None: it is no file of ours.
    file: FileFacts | None = None

    @property
    def has_8bit(self) -> bool:
        return not self.body.isascii()

    def chunks(self) -> Iterator[bytes]:
        yield "\r\n".join((*self.headers, "", "")).encode()
        yield self.body


@dataclass(frozen=True, slots=True)
class Multipart:
    """Parts together: "mixed", "alternative" (the best last) or "related" (the root first)."""

    subtype: str
    boundary: str
    parts: tuple[Part, ...]

    @property
    def has_8bit(self) -> bool:
        return any(part.has_8bit for part in self.parts)

    def chunks(self) -> Iterator[bytes]:
        # RFC 2387 section 3.1 requires the root's type of multipart/related; it is HTML here.
        root = ' type="text/html";' if self.subtype == "related" else ""
        type = f'Content-Type: multipart/{self.subtype};{root}\r\n boundary="{self.boundary}"\r\n'
        # RFC 2045 section 6.4: what holds a part in 8bit is 8bit itself.
        encoding = "Content-Transfer-Encoding: 8bit\r\n" if self.has_8bit else ""
        yield (type + encoding).encode()
        delimiter = f"\r\n--{self.boundary}".encode()
        for part in self.parts:
            yield delimiter
            yield b"\r\n"
            yield from part.chunks()
        yield delimiter
        yield b"--\r\n"


Part = Leaf | Multipart

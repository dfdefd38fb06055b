"""BSON by the byte, for what no driver would write (bsonspec.org)."""

from __future__ import annotations

import struct

from bson.raw_bson import RawBSONDocument

from config.mongo import CODEC


_TYPES = {
    "double": 0x01, "string": 0x02, "map": 0x03, "list": 0x04, "binary": 0x05, "undefined": 0x06,
    "regex": 0x0B, "DBPointer": 0x0C, "symbol": 0x0E, "int": 0x10,
}  # fmt: skip


def element(type: str, name: str | bytes, value: bytes) -> bytes:
    """Write one element."""
    key = name if isinstance(name, bytes) else name.encode()
    return bytes([_TYPES[type]]) + key + b"\0" + value


def string(content: bytes) -> bytes:
    """Write the value of a string, UTF-8 or not."""
    return struct.pack("<i", len(content) + 1) + content + b"\0"


def subdocument(*elements: bytes) -> bytes:
    """Write the value of a map."""
    content = b"".join(elements)
    return struct.pack("<i", len(content) + 5) + content + b"\0"


def raw_document(*elements: bytes) -> RawBSONDocument:
    """Make a document that the driver sends as it is."""
    options = CODEC.with_options(document_class=RawBSONDocument)
    return RawBSONDocument(subdocument(*elements), options)

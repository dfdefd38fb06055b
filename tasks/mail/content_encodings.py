"""An attachment's content → bytes, by the names Node.js gives to encodings."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes


@dataclass(frozen=True, slots=True)
class Decoded:
    """Bytes, and the charset they are in when they came from a string of characters."""

    data: bytes
    charset: str | None = None


class UnknownEncoding(ValueError):
    """There is no such encoding; says which there are."""


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITESPACE = b" \t\r\n\f\v"
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_DATA_URI = re.compile(r"data:([^,;]*(?:;(?!base64,)[^,;]*)*)(;base64)?,", re.IGNORECASE)


def decode(content: str, encoding: str | None) -> Decoded:
    """Decode a string by its `encoding` (none: UTF-8).

    Raises UnknownEncoding, or ValueError when the content is not in that encoding.
    """
    decoder = _DECODERS.get((encoding or "utf8").lower())
    if decoder is None:
        raise UnknownEncoding(f"must be one of {', '.join(_DECODERS)}")
    return decoder(content)


def decode_data_uri(uri: str) -> tuple[str, bytes]:
    """Take a `data:` URI (RFC 2397) apart: media type ("" when absent) and bytes; ValueError."""
    match = _DATA_URI.match(uri)
    if match is None:
        raise ValueError("is no valid data: URI (data:image/png;base64,…)")
    data = unquote_to_bytes(uri[match.end() :])
    return match[1].strip(), _base64(data) if match[2] else data


def _base64(encoded: bytes) -> bytes:
    """Decode base64 or base64url, wrapped or not, with or without padding, but nothing else."""
    compact = encoded.translate(_URL_SAFE, _WHITESPACE)
    if not _BASE64.fullmatch(compact):
        raise ValueError("is not base64")
    digits = compact.rstrip(b"=")
    try:
        return base64.b64decode(digits + b"=" * (-len(digits) % 4))
    except binascii.Error as error:
        raise ValueError("is not base64: it ends in the middle of a byte") from error


def _from_base64(content: str) -> Decoded:
    if not content.isascii():
        raise ValueError("is not base64")
    return Decoded(_base64(content.encode()))


def _from_hex(content: str) -> Decoded:
    try:
        return Decoded(bytes.fromhex(content))
    except ValueError as error:
        raise ValueError("is not hexadecimal") from error


def _from_characters(codec: str, charset: str) -> Callable[[str], Decoded]:
    def encode(content: str) -> Decoded:
        try:
            return Decoded(content.encode(codec), charset)
        except UnicodeEncodeError as error:
            raise ValueError(f"has characters that {charset} cannot express") from error

    return encode


_UTF8 = _from_characters("utf-8", "utf-8")
_ASCII = _from_characters("ascii", "us-ascii")
_LATIN1 = _from_characters("latin-1", "iso-8859-1")
_UTF16 = _from_characters("utf-16-le", "utf-16le")

_DECODERS: dict[str, Callable[[str], Decoded]] = {
    "utf8": _UTF8,
    "utf-8": _UTF8,
    "base64": _from_base64,
    "base64url": _from_base64,
    "hex": _from_hex,
    "ascii": _ASCII,
    "latin1": _LATIN1,
    "binary": _LATIN1,
    "utf16le": _UTF16,
    "utf-16le": _UTF16,
    "ucs2": _UTF16,
    "ucs-2": _UTF16,
}

"""Encoded words of RFC 2047: text beyond ASCII in header values."""

from __future__ import annotations

import base64
from collections.abc import Iterator


#: RFC 2047 section 2: the longest encoded word, in octets.
MAX_LENGTH = 75

_FRAME = len("=?utf-8?Q??=")

#: The characters of section 5 (3), the strictest case (a phrase); they stand for themselves.
_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")
_Q = {byte: chr(byte) if byte in _SAFE else f"={byte:02X}" for byte in range(256)} | {0x20: "_"}

#: Longer texts are always B: Q is for the eyes, and slower to cut.
_MAX_Q = 500


def encode(text: str, first: int = MAX_LENGTH) -> list[str]:
    """Write text as encoded words of which no character is split.

    `first` is the room for the first word, for a header whose name stands before it; the word is
    longer than that if not even one character would fit.
    """
    raw = text.encode()
    # Q as long as half of the text or more stands there to be read (Latin scripts).
    if len(raw) <= _MAX_Q and sum(byte in _SAFE for byte in raw) * 2 >= len(raw):
        return [f"=?utf-8?Q?{piece}?=" for piece in _q_pieces(text, first - _FRAME)]
    pieces = _b_pieces(raw, first - _FRAME)
    return [f"=?utf-8?B?{base64.b64encode(piece).decode()}?=" for piece in pieces]


def _q_pieces(text: str, room: int) -> Iterator[str]:
    line = ""
    for character in text:
        encoded = "".join(_Q[byte] for byte in character.encode())
        if line and len(line) + len(encoded) > room:
            yield line
            line = ""
            room = MAX_LENGTH - _FRAME
        line += encoded
    yield line


def _b_pieces(raw: bytes, room: int) -> Iterator[bytes]:
    start = 0
    while start < len(raw):
        end = start + max(room // 4 * 3, 4)
        while end < len(raw) and raw[end] & 0xC0 == 0x80:  # noqa: PLR2004 (UTF-8: inside a character)
            end -= 1
        yield raw[start:end]
        start = end
        room = MAX_LENGTH - _FRAME

"""A part that the document brings whole, headers included."""

from __future__ import annotations

import re

from tasks.mail.bodies import MAX_LINE_LENGTH, fits_on_lines
from tasks.mail.parts import Leaf


_END_OF_LINE = re.compile(rb"\r\n|\r|\n")
#: A header line of RFC 5322 section 2.2 or the continuation of one.
_HEADER_LINE = re.compile(r"[!-9;-~]+:[\t -~]*|[\t ][\t -~]*")


def parse(raw: str | bytes) -> Leaf:
    """Check that it can stand between boundaries; line ends become CRLF. Raises ValueError."""
    data = raw.encode() if isinstance(raw, str) else bytes(raw)
    data = _END_OF_LINE.sub(b"\r\n", data)
    # An empty line first: there are no header lines.
    head, _, body = (b"\r\n" + data).partition(b"\r\n\r\n")
    head = head[2:]
    if not fits_on_lines(head) or not fits_on_lines(body):
        raise ValueError(f"must have lines of at most {MAX_LINE_LENGTH} octets, and no NUL")
    lines = head.decode("latin-1").removesuffix("\r\n").split("\r\n") if head else []
    if not all(map(_HEADER_LINE.fullmatch, lines)) or (lines and lines[0][:1] in "\t "):
        raise ValueError("must begin with header lines (in ASCII) and an empty line")
    return Leaf(tuple(lines), body)

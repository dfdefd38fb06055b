"""Replies of an SMTP server (RFC 5321 section 4.2), taken from the bytes received."""

from __future__ import annotations

import re
from typing import NamedTuple


#: RFC 5321 4.5.3.1.5 allows 512 octets a line; some servers write more. A server that never ends
#: its line, or its reply, must not fill our memory.
MAX_LINE = 2048
MAX_LINES = 64

#: 421: "service not available, closing transmission channel", in answer to any command.
CLOSING = 421
_POSITIVE, _LATER, _NEVER = 2, 4, 5
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?![\d.])")


class BadReply(Exception):
    """What the server says is not SMTP; the text follows the server's name."""


class Reply(NamedTuple):
    """A code and its lines, without the code."""

    code: int
    lines: tuple[bytes, ...] = (b"",)

    def __str__(self) -> str:
        text = " ".join(line.decode("utf-8", "replace").strip() for line in self.lines)
        return f"{self.code} {_printable(text)}".rstrip()

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code (RFC 2034, RFC 3463), "5.1.1"; None when there is none.

        One of another class than the reply code's says nothing: the reply code decides.
        """
        found = _ENHANCED.match(self.lines[0].lstrip())
        if found is None or found[0][:1] != b"%d" % (self.code // 100):
            return None
        return found[0].decode("ascii")

    @property
    def positive(self) -> bool:
        """2xx: done."""
        return self.code // 100 == _POSITIVE

    @property
    def later(self) -> bool:
        """4xx: refused for now."""
        return self.code // 100 == _LATER

    @property
    def never(self) -> bool:
        """5xx: refused for good."""
        return self.code // 100 == _NEVER


def take(received: bytearray) -> Reply | None:
    """Remove the first reply from the bytes received; None when it is not whole yet.

    Raises BadReply.
    """
    lines: list[bytes] = []
    start = 0
    while True:
        end = received.find(b"\n", start)
        if (len(received) if end < 0 else end) - start > MAX_LINE:
            raise BadReply(f"sent a line of more than {MAX_LINE} bytes")
        if end < 0:
            return None
        line = bytes(received[start:end]).removesuffix(b"\r")
        code, last = _code(line)
        lines.append(line[4:])
        start = end + 1
        if last:
            del received[:start]
            return Reply(code, tuple(lines))
        if len(lines) == MAX_LINES:
            raise BadReply(f"sent a reply of more than {MAX_LINES} lines")


def _code(line: bytes) -> tuple[int, bool]:
    """Read the code, and tell whether this is the reply's last line."""
    digits, separator = line[:3], line[3:4]
    if len(digits) == 3 and b"200" <= digits <= b"599" and digits.isdigit():  # noqa: PLR2004
        if separator == b"-":
            return int(digits), False
        if separator in b" ":  # or nothing at all
            return int(digits), True
    shown = _printable(line[:80].decode("utf-8", "replace").strip())
    raise BadReply(f"sent something that is not SMTP: {shown!r}")


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)

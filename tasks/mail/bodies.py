"""Text and HTML → parts, as readable on the wire as the server allows."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from tasks.mail.parts import Leaf


#: RFC 5322 2.1.1 and RFC 5321 4.5.3.1.6, without CRLF.
MAX_LINE_LENGTH = 998
_ASCII = bytes(range(128))


@dataclass(frozen=True, slots=True)
class Text:
    """A text of which the transfer encoding is still open: that depends on the server.

    `parameters` of its type, "; method=REQUEST"; `headers` of its own.
    """

    text: str
    subtype: str
    parameters: str = ""
    headers: tuple[str, ...] = ()

    def part(self, *, seven_bit: bool) -> Leaf:
        return text_part(
            self.text,
            self.subtype,
            seven_bit=seven_bit,
            parameters=self.parameters,
            headers=self.headers,
        )


@dataclass(frozen=True, slots=True)
class Bodies:
    """The forms of one text, "" for those there are none of; `others` come last."""

    text: str
    html: str
    amp: str = ""
    others: tuple[Text | Leaf, ...] = ()


def text_part(
    text: str,
    subtype: str,
    *,
    seven_bit: bool,
    parameters: str = "",
    headers: tuple[str, ...] = (),
) -> Leaf:
    """Make a text part: 7bit if it can be, else 8bit if that is allowed, else encoded.

    Line ends of any kind (CRLF, CR, LF) become CRLF.
    """
    body = crlf(text).encode()
    ascii_only = body.isascii()
    if not fits_on_lines(body):
        encoding, body = _encoded(body)
    elif ascii_only:
        encoding = "7bit"
    elif seven_bit:
        encoding, body = _encoded(body)
    else:
        encoding = "8bit"
    # Calendars and AMP ask for UTF-8 by name.
    charset = "us-ascii" if ascii_only and subtype in ("plain", "html") else "utf-8"
    return Leaf(
        (
            f"Content-Type: text/{subtype}; charset={charset}{parameters}",
            f"Content-Transfer-Encoding: {encoding}",
            *headers,
        ),
        body,
    )


def crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def fits_on_lines(body: bytes) -> bool:
    """Tell whether 7bit or 8bit can carry it: lines not too long, no NUL (RFC 2045 2.7, 2.8)."""
    if len(body) <= MAX_LINE_LENGTH:
        return b"\0" not in body
    return max(map(len, body.split(b"\r\n"))) <= MAX_LINE_LENGTH and b"\0" not in body


def base64_lines(body: bytes) -> bytes:
    """Encode as base64 in lines of 76 characters, each with its CRLF."""
    return base64.encodebytes(body).replace(b"\n", b"\r\n")


def _encoded(body: bytes) -> tuple[str, bytes]:
    """Choose the shorter of quoted-printable and base64 (for scripts beyond Latin)."""
    if len(body.translate(None, _ASCII)) * 6 > len(body):  # quoted-printable: three octets for one
        return "base64", base64_lines(body)
    # b2a_qp takes the line end of its soft breaks from the text's first line end, if it has one.
    quoted = binascii.b2a_qp(body.replace(b"\r\n", b"\n"), istext=True)
    return "quoted-printable", quoted.replace(b"\n", b"\r\n")

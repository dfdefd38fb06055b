"""Header fields as a person reads them: encoded words, raw UTF-8 and broken ones alike."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox of a header field."""

    name: str
    address: str

    def as_json(self) -> dict[str, str]:
        """Return it as the API shows it."""
        return asdict(self)


def fields(message: Message) -> list[tuple[str, str]]:
    """Return every field in its order, values decoded."""
    return [(name, decoded(_unfolded(value))) for name, value in message.raw_items()]


def value(message: Message, name: str) -> str:
    """Return the first field of that name, decoded; "" when there is none."""
    return next((decoded(text) for text in _values(message, name)), "")


def addresses(message: Message, name: str) -> list[Address]:
    """Return the mailboxes of all fields of that name; an unreadable field as it is."""
    found: list[Address] = []
    for text in _values(message, name):
        # Taken apart before decoding: an encoded word may hide a comma.
        pairs = [pair for pair in getaddresses([text]) if any(pair)]
        found += [Address(decoded(shown), address) for shown, address in pairs]
        if not pairs and text.strip():
            found.append(Address("", decoded(text)))
    return found


def decoded(text: str) -> str:
    """Decode the encoded words of RFC 2047; what cannot be decoded stays as it is."""
    if "=?" not in text:
        return text
    try:
        chunks = decode_header(text)
    except HeaderParseError:
        return text
    return "".join(_text(chunk, charset) for chunk, charset in chunks)


def text_of(data: bytes, charset: str | None) -> str:
    """Decode text of a declared character set; an unknown one is read as UTF-8."""
    try:
        return data.decode(charset or "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def _text(chunk: bytes | str, charset: str | None) -> str:
    # decode_header gives unencoded text between encoded words as ASCII bytes, or as str.
    return chunk if isinstance(chunk, str) else text_of(chunk, charset)


def _values(message: Message, name: str) -> list[str]:
    wanted = name.lower()
    return [_unfolded(text) for key, text in message.raw_items() if key.lower() == wanted]


def _unfolded(raw: str) -> str:
    # The parser keeps bytes above 127 as surrogates: raw UTF-8 of SMTPUTF8 mails (RFC 6532).
    text = raw.encode("ascii", "surrogateescape").decode("utf-8", "replace")
    return re.sub(r"\r?\n(?=[ \t])", "", text).strip()

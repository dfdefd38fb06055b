"""Header lines of RFC 5322: folded at 76 characters, encoded only where the text needs it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.mail import encoded_words
from tasks.mail.address_list import Group
from tasks.mail.addresses import Mailbox


#: RFC 5322 2.1.1 asks for 78 at most, RFC 2047 section 2 for 76 on a line with an encoded word.
LINE_LENGTH = 76

#: A longer word cannot stay as it is: with its header's name it might pass 998 (RFC 5322 2.1.1).
_MAX_WORD = 900
#: Parameter values up to this length stand in one piece on their line (`filename*10*=utf-8''…;`).
_MAX_PARAMETER = 55
#: A quoted display name up to this length stays one word, readable in the source.
_MAX_QUOTED = 60

_WORDS = re.compile(r" +[^ ]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
#: RFC 2231 section 7, attribute-char: the others are percent-encoded.
_ATTRIBUTE_CHARACTERS = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&+-.^_`{|}~"
)


def fold(name: str, words: Iterable[str]) -> str:
    """Join words, each of which brings its leading space, breaking lines between them."""
    lines: list[str] = []
    line = f"{name}:"
    for word in words:
        if len(line) + len(word) > LINE_LENGTH:
            lines.append(line)
            line = word
        else:
            line += word
    lines.append(line)
    return "\r\n".join(lines)


def unstructured(name: str, value: str) -> str:
    """Write free text, such as a subject; it reads back exactly as it is."""
    if not _needs_encoding(value) and not value.startswith(" ") and not value.endswith(" "):
        if len(name) + 2 + len(value) <= LINE_LENGTH:
            return f"{name}: {value}"
        words = _WORDS.findall(f" {value}")
        if max(map(len, words)) <= _MAX_WORD:
            return fold(name, words)
    return fold(name, _partly_encoded(name, value))


def verbatim(name: str, value: str) -> str:
    """Write a structured value (ASCII), such as message ids, which must not be encoded.

    Raises ValueError when it cannot be written so.
    """
    if not value.isascii() or not value.isprintable():
        raise ValueError("must be printable ASCII")
    words = _WORDS.findall(f" {value.strip()}")
    if any(len(word) > _MAX_WORD for word in words):
        raise ValueError(f"has a part of more than {_MAX_WORD} characters without a space")
    return fold(name, words)


def addresses(name: str, entries: Iterable[Mailbox | Group]) -> str:
    """Write an address list; the addresses themselves may hold non-ASCII characters (RFC 6532)."""
    words: list[str] = []
    for entry in entries:
        if words:
            words[-1] += ","
        words += _group(entry) if isinstance(entry, Group) else _mailbox(entry)
    return fold(name, [f" {word}" for word in words])


def _group(group: Group) -> list[str]:
    words = phrase(group.name)
    words[-1] += ":"
    for number, member in enumerate(group.members):
        if number:
            words[-1] += ","
        words += _mailbox(member)
    words[-1] += ";"
    return words


def _mailbox(mailbox: Mailbox) -> list[str]:
    if not mailbox.name:
        return [mailbox.address]
    return [*phrase(mailbox.name), f"<{mailbox.address}>"]


def phrase(text: str) -> list[str]:
    """Give the words of a display name, as RFC 5322 writes it before `<address>`."""
    if not text:
        return ['""']
    if not _needs_encoding(text):
        if _ATOMS.fullmatch(text):
            words = text.split(" ")
            if max(map(len, words)) <= _MAX_QUOTED:
                return words
        elif len(text) <= _MAX_QUOTED:
            return ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"']
    return encoded_words.encode(text)


def parameter(name: str, value: str) -> list[str]:
    """Give a parameter of a MIME header, in pieces when it is long (RFC 2231)."""
    # Some parsers find a semicolon inside quotes, too, and cut the name there.
    simple = value.isascii() and value.isprintable() and not set(value) & {'"', "\\", ";"}
    if simple and len(value) <= _MAX_PARAMETER and "=?" not in value:
        return [f'{name}="{value}"']
    pieces = _percent_pieces(value)
    if len(pieces) == 1:
        return [f"{name}*=utf-8''{pieces[0]}"]
    numbered = [f"{name}*{number}*={piece}" for number, piece in enumerate(pieces)]
    return [f"{name}*0*=utf-8''{pieces[0]}", *numbered[1:]]


def with_parameters(name: str, value: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Write a MIME header, such as Content-Type, with its parameters on lines of their own."""
    written = [piece for key, text in parameters for piece in parameter(key, text)]
    if len(written) == 1 and len(name) + len(value) + len(written[0]) + 4 <= LINE_LENGTH:
        return f"{name}: {value}; {written[0]}"
    return ";\r\n ".join([f"{name}: {value}", *written])


def _needs_encoding(text: str) -> bool:
    # "=?" would be read as the start of an encoded word.
    return not text.isascii() or not text.isprintable() or "=?" in text


def _partly_encoded(name: str, value: str) -> list[str]:
    """Encode from the first word that needs it to the last; the others stay readable."""
    words = value.split(" ")
    needy = [
        index
        for index, word in enumerate(words)
        if not word or _needs_encoding(word) or len(word) > _MAX_WORD
    ]
    start, end = needy[0], needy[-1] + 1
    before = "".join(f" {word}" for word in words[:start])
    room = encoded_words.MAX_LENGTH if before else LINE_LENGTH - len(name) - len(": ")
    encoded = encoded_words.encode(" ".join(words[start:end]), first=room)
    return [f" {word}" for word in (*words[:start], *encoded, *words[end:])]


def _percent_pieces(value: str) -> list[str]:
    pieces = [""]
    for character in value:
        encoded = "".join(
            chr(byte) if byte in _ATTRIBUTE_CHARACTERS else f"%{byte:02X}"
            for byte in character.encode()
        )
        if len(pieces[-1]) + len(encoded) > _MAX_PARAMETER:
            pieces.append("")
        pieces[-1] += encoded
    return pieces

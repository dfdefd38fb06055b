"""Lists of addresses as people write them: `Name <a@x>, "Doe, Jo" <b@y>, Team: c@z, d@z;`.

The grammar is RFC 5322 section 3.4, read kindly: names may hold dots, commas may be doubled, the
name may follow in brackets, the last group may lack its semicolon, a semicolon may stand for a
comma. What is no address is returned with the reason, and never taken apart to save a piece of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tasks.mail import addresses
from tasks.mail.addresses import InvalidAddress, Mailbox


@dataclass(frozen=True, slots=True)
class Group:
    """A named group of mailboxes; it may be empty (`undisclosed-recipients:;`)."""

    name: str
    members: list[Mailbox] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AddressList:
    """What a text held: `entries` in order, `invalid` as (text, reason)."""

    entries: list[Mailbox | Group] = field(default_factory=list)
    invalid: list[tuple[str, str]] = field(default_factory=list)

    @property
    def mailboxes(self) -> list[Mailbox]:
        """Every mailbox, those inside groups too."""
        found: list[Mailbox] = []
        for entry in self.entries:
            found.extend(entry.members if isinstance(entry, Group) else [entry])
        return found


#: Reading a longer list would cost the worker seconds, whatever it holds.
MAX_LENGTH = 1_000_000
#: `Name <address>` up to this length is tried by one pattern.
_MAX_SIMPLE = 200

_TOKEN = re.compile(
    r"""
      (?P<quoted>  "(?:[^"\\]|\\.)*" )
    | (?P<angle>   < (?: [^<>"] | "(?:[^"\\]|\\.)*" )* > )
    | (?P<literal> \[ [^\[\]]* \] )
    | (?P<stop>    [,;:] )
    | (?P<comment> \( )
    | (?P<text>    [^"<\[,;:(]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_PART = re.compile(r"[()]|\\.|[^()\\]+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

#: `Name <address>` with nothing special in the name: nearly every address there is.
_SIMPLE = re.compile(r"([\w'.-]*(?: [\w'.-]+)*) ?<([^<>\"\s,;:()\[\]]+)>")


def parse(texts: list[str]) -> AddressList:
    """Read every text as an address list and join what they hold.

    Raises ValueError when that is too much.
    """
    if sum(map(len, texts)) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    found = AddressList()
    for text in texts:
        if len(text) <= _MAX_SIMPLE and (simple := _SIMPLE.fullmatch(text)):
            _add(found, found.entries, simple[1], simple[2], text)
        elif not any(character in text for character in ',;:"<('):
            if stripped := text.strip():
                _add(found, found.entries, "", stripped, stripped)
        else:
            _Reader(text, found).read()
    return found


def _add(
    found: AddressList,
    place: list[Mailbox] | list[Mailbox | Group],
    name: str,
    text: str,
    whole: str,
) -> None:
    try:
        mailbox = Mailbox(addresses.parse(text), name)
    except InvalidAddress as error:
        found.invalid.append((whole.strip(), str(error)))
    else:
        place.append(mailbox)


class _Reader:
    """One pass over one text, token by token."""

    def __init__(self, text: str, found: AddressList) -> None:
        self._text = text
        self._found = found
        self._group: Group | None = None
        self._start_mailbox(0)

    def _start_mailbox(self, position: int) -> None:
        self._start = position
        self._words: list[str] = []  # as shown in a name: without quotes
        self._raw: list[str] = []  # as written: an address may have quotes
        self._comments: list[str] = []
        self._angle: str | None = None
        self._broken = ""

    def read(self) -> None:
        position = 0
        while position < len(self._text):
            token = _TOKEN.match(self._text, position)
            if token is None:
                # A quote or bracket that never ends: no telling where the next address begins.
                self._broken = f"{self._text[position]} is never closed"
                position = len(self._text)
            elif token.lastgroup == "comment":
                position = self._read_comment(token.end())
            else:
                self._read_token(token.lastgroup or "", token[0], token.start())
                position = token.end()
        self._end_mailbox(len(self._text))

    def _read_comment(self, position: int) -> int:
        depth = 1
        start = position
        while part := _COMMENT_PART.match(self._text, position):
            position = part.end()
            depth += {"(": 1, ")": -1}.get(part[0], 0)
            if depth == 0:
                self._comments.append(_ESCAPED.sub(r"\1", self._text[start : position - 1]))
                return position
        self._broken = "( is never closed"
        return len(self._text)

    def _read_token(self, kind: str, text: str, position: int) -> None:
        if kind == "stop":
            self._read_stop(text, position)
        elif kind == "angle" and self._angle is None:
            self._angle = text[1:-1].strip()
        elif self._angle is not None and text.strip():
            self._broken = "text follows the >"
        else:
            word = _ESCAPED.sub(r"\1", text[1:-1]) if kind == "quoted" else text.strip()
            if word:
                self._words.append(word)
            self._raw.append(text)

    def _read_stop(self, mark: str, position: int) -> None:
        if mark == ":" and self._group is None and self._angle is None:
            self._group = Group(" ".join(self._words))
            self._found.entries.append(self._group)
            self._start_mailbox(position + 1)
            return
        if mark == ":":
            self._broken = "it has a colon"
            return
        self._end_mailbox(position)
        if mark == ";":
            self._group = None

    def _end_mailbox(self, end: int) -> None:
        whole = self._text[self._start : end].strip()
        name, address = " ".join(self._words), self._angle
        if address is None:
            name, address = " ".join(self._comments), "".join(self._raw).strip()
        place = self._found.entries if self._group is None else self._group.members
        if self._broken:
            self._found.invalid.append((whole, self._broken))
        elif whole:
            _add(self._found, place, name, address, whole)
        self._start_mailbox(end + 1)

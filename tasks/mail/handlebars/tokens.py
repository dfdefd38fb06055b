"""The words of the language."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tasks.mail.handlebars.errors import quote


class Kind(Enum):
    """What a token is; the value is how messages call it."""

    CONTENT = "text"
    COMMENT = "a comment"
    OPEN = "{{"
    OPEN_UNESCAPED = "{{{"
    OPEN_DECORATOR = "{{*"
    OPEN_PARTIAL = "{{>"
    OPEN_PARTIAL_BLOCK = "{{#>"
    OPEN_BLOCK = "{{#"
    OPEN_INLINE = "{{#*"
    OPEN_INVERSE = "{{^"
    OPEN_CHAIN = "{{else …"
    OPEN_END = "{{/"
    OPEN_RAW = "{{{{"
    ELSE = "{{else}}"
    CLOSE = "}}"
    CLOSE_UNESCAPED = "}}}"
    CLOSE_RAW = "}}}}"
    END_RAW = "the end of a raw block"
    OPEN_CALL = "("
    CLOSE_CALL = ")"
    EQUALS = "="
    SEPARATOR = "."
    DATA = "@"
    STRING = "a string"
    NUMBER = "a number"
    KEYWORD = "true, false, null or undefined"
    NAME = "a name"
    OPEN_PARAMS = "as |"
    CLOSE_PARAMS = "|"
    INVALID = "what is no part of the language"
    #: Its text says what is wrong.
    BROKEN = "what has no end"
    END = "the end of the template"

    #: Members are single; Enum's own hash is a function in Python, and slow.
    __hash__ = object.__hash__


@dataclass(slots=True)
class Token:
    """One word; `open` and `close` say whether a ~ stands on that side of a tag."""

    kind: Kind
    #: What it holds: text, a name without its brackets, a string without its quotes.
    text: str
    #: Where it starts in the template.
    position: int
    open: bool = False
    close: bool = False
    #: The name is written in brackets, as [a b]: `this` is then a key like any other.
    bracketed: bool = False

    def __str__(self) -> str:
        # These two have no text of their own.
        if self.kind in (Kind.END, Kind.COMMENT):
            return str(self.kind.value)
        return quote(self.text)

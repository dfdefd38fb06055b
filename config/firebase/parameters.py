"""`extensions/firestore-send-email.env`, read as firebase-tools reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass


_LINE = re.compile(
    r"""
    ^[ \t]*(?P<name>[\w./]+)[ \t]*=[ \t]*
    (?P<value>'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|[^\#\r\n]*)
    [ \t]*(?P<comment>\#[^\n]*)?$
    """,
    re.MULTILINE | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Parameters:
    """`values` by name; `unread`: numbers of lines that are none; `cut`: names whose value has a #.

    The tools take what follows for a comment, unless the value is quoted.
    """

    values: dict[str, str]
    unread: list[int]
    cut: list[str]


def read(text: str) -> Parameters:
    """Read the file."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    values: dict[str, str] = {}
    cut: list[str] = []
    for match in _LINE.finditer(text):
        value = match["value"].strip()
        if match["comment"] and value and value[0] not in "'\"":
            cut.append(match["name"])
        values[match["name"]] = _unquoted(value)
    return Parameters(values, _unread(text), cut)


def _unread(text: str) -> list[int]:
    left = _LINE.sub(lambda match: "\n" * match[0].count("\n"), text)
    lines = enumerate(left.split("\n"), start=1)
    return [number for number, line in lines if line.strip() and not line.strip().startswith("#")]


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != value[-1] or value[0] not in "'\"":  # noqa: PLR2004 - the quotes
        return value
    if value[0] == "'":
        return value[1:-1]
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), value[1:-1])

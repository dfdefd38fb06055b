"""{{x}} and {{{x}}}: a value's text goes into the result."""

from __future__ import annotations

import re

from tasks.mail.handlebars.runtime import Node, Scope, Value, Write
from tasks.mail.handlebars.values import to_string


_SPECIAL = re.compile(r"[&<>\"'`=]")
#: What means something in HTML, = and ` in attributes without quotes. The ampersand comes first:
#: the others bring their own.
_ENTITIES = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ('"', "&quot;"),
    ("'", "&#x27;"),
    ("`", "&#x60;"),
    ("=", "&#x3D;"),
)


def output(value: Value, *, escaped: bool) -> Node:
    """Compile a mustache; `escaped` counts where the whole rendering is escaped."""

    def node(scope: Scope, write: Write) -> None:
        found = value(scope)
        text = found if type(found) is str else to_string(found)
        run = scope.run
        run.size -= len(text)
        if run.size < 0:
            run.overflow()
        if escaped and run.escape and _SPECIAL.search(text):
            plain = len(text)
            text = _escape(text)
            run.size += plain - len(text)
            if run.size < 0:
                run.overflow()
        write(text)

    return node


def _escape(text: str) -> str:
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return text

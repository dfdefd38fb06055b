"""Plain text out of HTML, for a mail that brings no text of its own.

One pass over the tags, in time that grows with the length only; never an error. It is made for
mails: hidden preview texts and style sheets are left out, tables are read row by row, links keep
their target.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass

from tasks.mail.text_writer import TextWriter


#: A start or end tag with its attributes, each quantifier possessive: no text is read twice.
_TAG = re.compile(
    r"""<(/?)([a-zA-Z][^\s/>]*+)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"""([^\s"'=/>]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++)))?""", re.DOTALL
)
#: Where markup begins; a lone < is text.
_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])")
_COMMENT = re.compile(r"<!--.*?--!?>", re.DOTALL)


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_VOID = _tags("area base br col embed hr img input link meta source track wbr")
#: Their content is no markup.
_RAW = _tags("script style title textarea xmp iframe noembed noframes")
_UNSEEN = _tags("head template object audio video svg math select")
#: Elements that begin and end a line, and those that have an empty line before and after.
_LINES = _tags(
    "address article aside body caption center dd details div dl dt figcaption figure footer form"
    " header html legend li main nav ol section summary table tbody tfoot thead tr ul"
)
_PARAGRAPHS = _tags("blockquote fieldset h1 h2 h3 h4 h5 h6 hr p pre")
#: A new one ends an open one.
_SIBLINGS = _tags("a p li dt dd tr td th option")
_CELLS = _tags("td th")
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE
)
_NO_TARGET = re.compile(r"\s*(#|javascript:|data:|$)", re.IGNORECASE)


def text_from_html(page: str) -> str:
    """Give what a reader would see, "" when that is nothing."""
    reader = _Reader()
    reader.read(page)
    return reader.writer.text()


@dataclass(slots=True)
class _Element:
    tag: str
    hidden: bool = False
    #: Of a link: its target, and where in the text it began.
    target: str = ""
    start: int = 0
    #: Of a numbered list: the last number.
    number: int = 0


class _Reader:
    """Reads tags; keeps the open elements."""

    def __init__(self) -> None:
        self.writer = TextWriter()
        self._open: list[_Element] = []
        self._counts: Counter[str] = Counter()
        self._hidden = 0
        self._preformatted = 0

    def read(self, page: str) -> None:
        position = 0
        while markup := _MARKUP.search(page, position):
            self._text(page[position : markup.start()])
            position = self._markup(page, markup.start())
        self._text(page[position:])

    def _text(self, text: str) -> None:
        if text and not self._hidden:
            self.writer.text_of(html.unescape(text), preformatted=bool(self._preformatted))

    def _markup(self, page: str, start: int) -> int:
        """Read a tag or a comment; return where it ends. What never ends goes to the end."""
        if page.startswith("<!--", start):
            comment = _COMMENT.match(page, start)
            return comment.end() if comment else len(page)
        if page[start + 1] in "!?" or not (tag := _TAG.match(page, start)):
            end = page.find(">", start)
            return end + 1 if end >= 0 and page[start + 1] in "!?/" else len(page)
        name = tag[2].lower()
        if tag[1]:
            self._end(name)
            return tag.end()
        self._start(name, tag[3])
        return self._raw_end(page, name, tag.end()) if name in _RAW else tag.end()

    def _raw_end(self, page: str, name: str, start: int) -> int:
        self._end(name)
        tag = re.compile(rf"</{name}", re.IGNORECASE).search(page, start)
        end = page.find(">", tag.end()) if tag else -1
        return end + 1 if end >= 0 else len(page)

    def _start(self, name: str, attributes: str) -> None:
        if name == "body":
            self._close(0)
        elif name in _SIBLINGS and self._open and self._open[-1].tag == name:
            self._close(len(self._open) - 1)
        given = _attributes(attributes)
        element = _Element(name, hidden=_is_hidden(name, given))
        if not self._hidden and not element.hidden:
            self._show(element, given)
        if name not in _VOID:
            self._open.append(element)
            self._counts[name] += 1
            self._hidden += element.hidden
            self._preformatted += name == "pre"

    def _show(self, element: _Element, given: dict[str, str]) -> None:
        name, writer = element.tag, self.writer
        if name in _CELLS:
            writer.cell()
        elif name in _PARAGRAPHS:
            writer.paragraph()
        elif name in _LINES:
            writer.line()
        if name == "br":
            writer.line_break()
        elif name == "hr":
            writer.text_of("-" * 40)
            writer.paragraph()
        elif name == "img":
            writer.text_of(given.get("alt", ""))
        elif name == "li":
            writer.write(self._bullet())
        elif name == "a" and not _NO_TARGET.match(given.get("href", "")):
            element.target, element.start = given["href"].strip(), writer.position

    def _bullet(self) -> str:
        """Give what stands before the item of a list."""
        around = [element for element in self._open[-3:] if element.tag in ("ol", "ul")]
        if not around or around[-1].tag == "ul":
            return "* "
        around[-1].number += 1
        return f"{around[-1].number}. "

    def _end(self, name: str) -> None:
        if not self._counts[name]:
            if name == "p":
                self.writer.paragraph()
            return
        while self._open[-1].tag != name:
            self._close(len(self._open) - 1)
        self._close(len(self._open) - 1)

    def _close(self, depth: int) -> None:
        """Close the open elements down to so many."""
        while len(self._open) > depth:
            element = self._open.pop()
            self._counts[element.tag] -= 1
            self._hidden -= element.hidden
            self._preformatted -= element.tag == "pre"
            if self._hidden or element.hidden:
                continue
            if element.target:
                self.writer.target(element.target, element.start)
            if element.tag in _PARAGRAPHS:
                self.writer.paragraph()
            elif element.tag in _LINES:
                self.writer.line()


def _attributes(text: str) -> dict[str, str]:
    """Read attributes; of two with the same name the first counts."""
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), html.unescape("".join(values)))
    return found


def _is_hidden(name: str, given: dict[str, str]) -> bool:
    return name in _UNSEEN or "hidden" in given or bool(_HIDDEN.search(given.get("style", "")))

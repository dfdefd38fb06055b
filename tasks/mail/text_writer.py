"""Words and breaks → lines of plain text."""

from __future__ import annotations

import re


#: What HTML counts as white space, and the space that does not break.
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
#: Of these and spaces alone, mails make an invisible rest of their preview text.
_PADDING = re.compile(r"[\s\u034f\u200b-\u200d\u2060\ufeff\xad]*")
#: No link's text that says where it leads has more pieces.
_FEW = 20
_TOO_MANY_LINES = re.compile(r"\n{3,}")


class TextWriter:
    """Writes what a reader sees; breaks come between words, never first, last or twice."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        #: To be written before the next word: "" , " ", "\n" or "\n\n".
        self._break = ""

    @property
    def position(self) -> int:
        """Where the next word will stand."""
        return len(self._pieces)

    def text(self) -> str:
        """Give it all, with a line end unless it is empty."""
        whole = "".join(self._pieces).strip("\n")
        lines = "\n".join(line.rstrip() for line in whole.split("\n"))
        return _TOO_MANY_LINES.sub("\n\n", lines) + "\n" if lines.strip() else ""

    def text_of(self, text: str, *, preformatted: bool = False) -> None:
        """Write words; white space is one space, unless it is preformatted."""
        if _PADDING.fullmatch(text) and not preformatted:
            self._space(text)
            return
        if preformatted:
            self.write(text.replace("\r\n", "\n").replace("\r", "\n"))
            return
        words = _SPACE.sub(" ", text)
        if words.startswith(" "):
            self._space(words)
        self.write(words.strip(" "))
        if words.endswith(" "):
            self._space(words)

    def line(self) -> None:
        """Begin a line, unless one has begun."""
        if self._break != "\n\n":
            self._break = "\n"

    def paragraph(self) -> None:
        """Begin a line after an empty one."""
        self._break = "\n\n"

    def line_break(self) -> None:
        """End the line; the second in a row makes an empty one."""
        self._break = "\n\n" if self._break.startswith("\n") else "\n"

    def cell(self) -> None:
        """Set a cell apart from the one before it in its row."""
        if not self._break.startswith("\n"):
            self._break = "  "

    def target(self, url: str, start: int) -> None:
        """Write where a link leads, unless its text from `start` on says so already."""
        text = "".join(self._pieces[start : start + _FEW]).strip()
        shown = url.removeprefix("mailto:").partition("?")[0] if url[:7] == "mailto:" else url
        if not text:
            self.text_of(shown)
        elif _bare(text) != _bare(shown):
            self._pieces.append(f" <{shown}>")  # a break that is due comes after it

    def write(self, text: str) -> None:
        """Write characters as they are."""
        if self._pieces and not (self._break == " " and self._pieces[-1].endswith(" ")):
            self._pieces.append(self._break)
        self._break = ""
        self._pieces.append(text)

    def _space(self, text: str) -> None:
        if text and not self._break:
            self._break = " "


def _bare(url: str) -> str:
    return re.sub(r"^https?://(www\.)?", "", url.lower()).rstrip("/")

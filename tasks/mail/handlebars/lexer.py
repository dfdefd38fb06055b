"""A template's text → tokens.

Text up to `{{` is content. A backslash before `{{` makes the tag content, two make one backslash
and a real tag. What a raw block ({{{{name}}}}) holds is content, too. No pattern repeats within a
repetition, and none searches text again that an earlier one has searched: the cost is linear.
"""

from __future__ import annotations

import re

from tasks.mail.handlebars.errors import Source
from tasks.mail.handlebars.tokens import Kind, Token
from tasks.mail.handlebars.values import SPACE


_NAME = rf"[^{SPACE}!\"#%&'()*+,./;<=>@\[\\\]^`{{|}}~]+"
_AFTER_NAME = rf"(?=[=~}}{SPACE}/.)|])"
_AFTER_LITERAL = rf"(?=[~}}{SPACE})\]])"

_OPENING = re.compile(
    rf"""
    (?P<OPEN_RAW> \{{\{{\{{\{{ )
    | \{{\{{ (?P<open>~?) (?:
        (?P<OPEN_PARTIAL> > ) | (?P<OPEN_PARTIAL_BLOCK> \#> )
      | (?P<OPEN_INLINE> \#\* ) | (?P<OPEN_BLOCK> \# ) | (?P<OPEN_END> / )
      | (?P<ELSE> (?: \^ | [{SPACE}]*else ) [{SPACE}]* (?P<close>~?) \}}\}} )
      | (?P<OPEN_INVERSE> \^ ) | (?P<OPEN_CHAIN> [{SPACE}]*else (?![A-Za-z0-9_]) )
      | (?P<OPEN_UNESCAPED> \{{ ) | (?P<LONG_COMMENT> !-- ) | (?P<COMMENT> ! )
      | (?P<OPEN_DECORATOR> \* ) | (?P<OPEN> &? ) )
    """,
    re.VERBOSE,
)
_INSIDE = re.compile(
    rf"""
    [{SPACE}]* (?: (?P<OPEN_CALL> \( ) | (?P<CLOSE_CALL> \) ) | (?P<CLOSE_RAW> \}}\}}\}}\}} )
    | (?P<EQUALS> = ) | (?P<NAME> \.\. | \.{_AFTER_NAME} ) | (?P<SEPARATOR> [/.] )
    | (?P<CLOSE_UNESCAPED> \}}~?\}}\}} ) | (?P<CLOSE> ~?\}}\}} )
    | (?P<STRING> ["'] ) | (?P<BRACKET> \[ ) | (?P<DATA> @ )
    | (?P<KEYWORD> (?: true|false|undefined|null ){_AFTER_LITERAL} )
    | (?P<NUMBER> -?[0-9]+ (?:\.[0-9]+)? {_AFTER_LITERAL} )
    | (?P<OPEN_PARAMS> as[{SPACE}]+\| ) | (?P<CLOSE_PARAMS> \| )
    | (?P<WORD> {_NAME}{_AFTER_NAME} ) )
    """,
    re.VERBOSE,
)
#: Perhaps a name, which is followed by what may not follow it.
_BEFORE_FAULT = re.compile(rf"[{SPACE}]*(?P<name>(?:{_NAME})?)")
_COMMENT_END = re.compile(r"(?P<close>~?)\}\}")
_LONG_COMMENT_END = re.compile(r"--(?P<close>~?)\}\}")
_END_RAW = re.compile(rf"\{{\{{\{{\{{/({_NAME})\}}\}}\}}\}}")
_ESCAPED_BRACKET = re.compile(r"\\([\\\]])")

_KINDS = {kind.name: kind for kind in Kind}
_LAST = (Kind.CLOSE, Kind.CLOSE_UNESCAPED, Kind.CLOSE_RAW)


def tokens(source: Source, max_tokens: int) -> list[Token]:
    """Split the text. The last token is END, or says where it stops being Handlebars."""
    return _Lexer(source, max_tokens).read()


class _Broken(Exception):
    """The text goes on in no way that Handlebars knows."""

    def __init__(self, position: int, text: str, kind: Kind = Kind.BROKEN) -> None:
        super().__init__(text)
        self.token = Token(kind, text, position)


class _Lexer:
    def __init__(self, source: Source, max_tokens: int) -> None:
        self._source = source
        self._text = source.text
        self._max_tokens = max_tokens
        self._position = 0
        self._tokens: list[Token] = []

    def read(self) -> list[Token]:
        try:
            while self._position < len(self._text):
                self._read_content()
            self._tokens.append(Token(Kind.END, "", self._position))
        except _Broken as broken:
            self._tokens.append(broken.token)
        return self._tokens

    def _add(self, token: Token) -> None:
        if len(self._tokens) >= self._max_tokens:
            message = f"more than {self._max_tokens} names, values, signs and pieces of text"
            raise self._source.error(token.position, message, bound="tokens")
        self._tokens.append(token)

    def _add_content(self, content: str, position: int) -> None:
        if "\0" in content:
            raise _Broken(
                position + content.index("\0"), "a NUL character has no place in a template"
            )
        if content:
            self._add(Token(Kind.CONTENT, content, position))

    def _read_content(self) -> None:
        """Read up to and including the next tag, or to the end."""
        start = self._position
        brace = self._text.find("{{", start)
        if brace < 0:
            self._position = len(self._text)
            self._add_content(self._text[start:], start)
            return
        before = self._text[start:brace]
        self._add_content(before.removesuffix("\\"), start)
        if before.endswith("\\") and not before.endswith("\\\\"):
            self._read_escaped(brace)
        else:
            self._read_tag(brace)

    def _read_escaped(self, start: int) -> None:
        """Read a tag that is content, up to the next tag or the backslashes before it."""
        end = self._text.find("{{", start + 2)
        if end < 0:
            end = len(self._text)
        else:
            slashes = self._text[max(start + 2, end - 2) : end]
            end -= len(slashes) - len(slashes.rstrip("\\"))
        self._add_content(self._text[start:end], start)
        self._position = end

    def _read_tag(self, start: int) -> None:
        match = _OPENING.match(self._text, start)
        if match is None or match.lastgroup is None:
            raise AssertionError  # OPEN takes every {{
        kind = match.lastgroup
        if kind == "LONG_COMMENT":
            # Its own dashes may be those of its end: {{!--}}
            self._read_comment(match, _LONG_COMMENT_END.search(self._text, match.end() - 2))
        elif kind == "COMMENT":
            self._read_comment(match, _COMMENT_END.search(self._text, match.end()))
        else:
            token = Token(_KINDS[kind], match[0], start, match["open"] == "~")
            self._add(token)
            self._position = match.end()
            if kind == "ELSE":
                token.close = match["close"] == "~"
            else:
                self._read_inside()

    def _read_comment(self, start: re.Match[str], end: re.Match[str] | None) -> None:
        if end is None:
            raise _Broken(start.start(), "the comment has no end")
        tildes = start["open"] == "~", end["close"] == "~"
        self._add(Token(Kind.COMMENT, "", start.start(), *tildes))
        self._position = end.end()

    def _read_inside(self) -> None:
        """Read what stands in a tag and its closing braces, or to the end."""
        while match := _INSIDE.match(self._text, self._position):
            name = match.lastgroup or ""
            start = match.start(name)
            if name in ("STRING", "BRACKET"):
                self._read_quoted(start)
                continue
            kind = Kind.NAME if name == "WORD" else _KINDS[name]
            token = Token(kind, match[name], start)
            self._add(token)
            self._position = match.end()
            if kind in _LAST:
                token.close = "~" in token.text
                if kind is Kind.CLOSE_RAW:
                    self._read_raw(start)
                return
        self._read_fault()

    def _read_fault(self) -> None:
        """Read what is left of a tag, at a character that has no place there or at the end."""
        match = _BEFORE_FAULT.match(self._text, self._position)
        if match:
            self._position = match.end()
            if match["name"]:
                self._add(Token(Kind.NAME, match["name"], match.start("name")))
        if self._position < len(self._text):
            raise _Broken(self._position, self._text[self._position], Kind.INVALID)

    def _read_quoted(self, start: int) -> None:
        r"""Read a string or a name in brackets. A backslash before its end makes that part of it.

        Unless no other end follows: `"a\"` is then a whole string, as upstream has it.
        """
        mark = self._text[start].replace("[", "]")
        last = -1
        end = self._text.find(mark, start + 1)
        while end > start + 1 and self._text[end - 1] == "\\":
            last = end
            end = self._text.find(mark, end + 1)
        end = max(end, last)
        if end < 0:
            raise _Broken(start, f"the {self._text[start]} has no end")
        self._position = end + 1
        if mark == "]":
            name = _ESCAPED_BRACKET.sub(r"\1", self._text[start : end + 1])[1:-1]
            self._add(Token(Kind.NAME, name, start, bracketed=True))
        else:
            string = self._text[start + 1 : end].replace(f"\\{mark}", mark)
            self._add(Token(Kind.STRING, string, start))

    def _read_raw(self, opened: int) -> None:
        """Read a raw block's content and its end; raw blocks inside it are content."""
        depth = 1
        while depth:
            start = self._position
            if match := _END_RAW.match(self._text, start):
                depth -= 1
                self._position = match.end()
                if depth == 0:
                    self._add(Token(Kind.END_RAW, match[1], start))
                    return
            elif self._text.startswith("{{{{", start) and self._text[start + 4 : start + 5] != "/":
                depth += 1
                self._position = start + 4
            else:
                self._position = self._text.find("{{{{", start + 1)
                if self._position < 0:
                    raise _Broken(opened, "the raw block has no end")
            self._add_content(self._text[start : self._position], start)

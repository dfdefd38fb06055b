"""What stands inside a tag: paths, literals, subexpressions, parameters."""

from __future__ import annotations

from tasks.mail.handlebars.errors import Source, TemplateError
from tasks.mail.handlebars.nodes import Call, Expression, Literal, Path
from tasks.mail.handlebars.tokens import Kind, Token
from tasks.mail.handlebars.values import to_string


Arguments = tuple[tuple[Expression, ...], tuple[tuple[str, Expression], ...]]

_KEYWORDS = {"true": True, "false": False, "null": None, "undefined": None}
_LITERALS = (Kind.STRING, Kind.NUMBER, Kind.KEYWORD)
_STARTS = (*_LITERALS, Kind.NAME, Kind.DATA, Kind.OPEN_CALL)
#: Integers of so many digits are the same in JavaScript; longer ones lose digits there.
_EXACT_DIGITS = 15


class ExpressionReader:
    """Reads tokens from left to right, one expression after another."""

    def __init__(self, source: Source, tokens: list[Token], max_nesting: int) -> None:
        self._source = source
        self._tokens = tokens
        self._index = 0
        self._nesting = 0
        self._max_nesting = max_nesting

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _at(self, kind: Kind) -> bool:
        return self._token.kind is kind

    def _take(self) -> Token:
        token = self._tokens[self._index]
        self._index += 1
        return token

    def _expect(self, kind: Kind, expected: str) -> Token:
        if not self._at(kind):
            raise self._unexpected(expected)
        return self._take()

    def _unexpected(self, expected: str) -> TemplateError:
        token = self._token
        if token.kind is Kind.BROKEN:
            return self._source.error(token.position, token.text)
        return self._source.unexpected(token.position, str(token), expected)

    def _enter(self, position: int) -> None:
        self._nesting += 1
        if self._nesting > self._max_nesting:
            message = f"more than {self._max_nesting} blocks or subexpressions inside one another"
            raise self._source.error(position, message, bound="nesting")

    def _leave(self) -> None:
        self._nesting -= 1

    def _read_call(self) -> Call:
        """`name params key=value`, up to what closes it."""
        position = self._token.position
        callee = self._read_name("a name")
        if isinstance(callee, Literal):
            callee = Path(callee.original, (callee.original,), position)
        params, hash = self._read_arguments()
        return Call(callee, params, hash, position)

    def _read_arguments(self) -> Arguments:
        params: list[Expression] = []
        while self._token.kind in _STARTS and not self._at_key():
            params.append(self._read_expression())
        hash: list[tuple[str, Expression]] = []
        while self._at_key():
            key = self._take().text
            self._take()
            hash.append((key, self._read_expression()))
        return tuple(params), tuple(hash)

    def _at_key(self) -> bool:
        if not self._at(Kind.NAME):
            return False
        return self._tokens[self._index + 1].kind is Kind.EQUALS

    def _read_expression(self) -> Expression:
        if not self._at(Kind.OPEN_CALL):
            return self._read_name("a value")
        self._enter(self._take().position)
        call = self._read_call()
        self._expect(Kind.CLOSE_CALL, "a value, key=value or )")
        self._leave()
        return call

    def _read_name(self, expected: str) -> Path | Literal:
        token = self._token
        if token.kind in _LITERALS:
            return _literal(self._take())
        if token.kind not in (Kind.NAME, Kind.DATA):
            raise self._unexpected(expected)
        return self._read_path()

    def _read_path(self) -> Path:
        position = self._token.position
        data = self._at(Kind.DATA)
        if data:
            self._take()
        original = "@" if data else ""
        parts: list[str] = []
        depth = 0
        while True:
            token = self._expect(Kind.NAME, "a name")
            original += token.text
            if token.bracketed or token.text not in ("..", ".", "this"):
                parts.append(token.text)
            elif parts:
                message = f"{token.text} may only stand at the start of a path"
                raise self._source.error(token.position, message)
            else:
                depth += token.text == ".."
            if not self._at(Kind.SEPARATOR):
                return Path(original, tuple(parts), position, depth, data)
            original += self._take().text


def _literal(token: Token) -> Literal:
    value: str | int | float | bool | None = token.text
    if token.kind is Kind.KEYWORD:
        value = _KEYWORDS[token.text]
    elif token.kind is Kind.NUMBER:
        exact = token.text.lstrip("-").isdigit() and len(token.text) <= _EXACT_DIGITS
        value = int(token.text) if exact else float(token.text)
    name = to_string(value) if token.kind is Kind.NUMBER else token.text
    undefined = token.kind is Kind.KEYWORD and token.text == "undefined"
    return Literal(value, name, token.position, undefined)

"""Tokens → a program.

Recursion follows the nesting of blocks and subexpressions, which is bounded.
"""

from __future__ import annotations

from collections.abc import Callable

from tasks.mail.handlebars.errors import Source, TemplateError, quote
from tasks.mail.handlebars.expressions import ExpressionReader
from tasks.mail.handlebars.lexer import tokens
from tasks.mail.handlebars.limits import Limits
from tasks.mail.handlebars.nodes import (
    Block,
    Call,
    Comment,
    Content,
    Expression,
    Inline,
    Literal,
    Mustache,
    Partial,
    Path,
    Program,
    Statement,
    Strip,
)
from tasks.mail.handlebars.tokens import Kind, Token


_MORE = "a value, key=value or "
_BLOCK_MORE = f"{_MORE}{Kind.CLOSE.value}"


def parse(source: Source, limits: Limits) -> Program:
    """Read a whole template; raises TemplateError at the first fault."""
    return _Parser(source, tokens(source, limits.tokens), limits.nesting).read()


class _Parser(ExpressionReader):
    def __init__(self, source: Source, tokens: list[Token], max_nesting: int) -> None:
        super().__init__(source, tokens, max_nesting)
        self._readers: dict[Kind, Callable[[Token], Statement]] = {
            Kind.CONTENT: self._read_content,
            Kind.COMMENT: self._read_comment,
            Kind.OPEN: self._read_mustache,
            Kind.OPEN_UNESCAPED: self._read_mustache,
            Kind.OPEN_BLOCK: self._read_block,
            Kind.OPEN_INVERSE: self._read_inverted,
            Kind.OPEN_RAW: self._read_raw,
            Kind.OPEN_INLINE: self._read_inline,
            Kind.OPEN_PARTIAL: self._read_partial,
            Kind.OPEN_PARTIAL_BLOCK: self._read_partial,
            Kind.OPEN_DECORATOR: self._read_decorator,
        }

    def read(self) -> Program:
        program = self._read_program()
        if not self._at(Kind.END):
            raise self._unexpected("text or a tag that needs no other before it")
        return program

    def _read_program(self, names: tuple[str, ...] = ()) -> Program:
        program = Program(names=names)
        while self._token.kind in self._readers:
            program.body.append(self._read_statement())
        return program

    def _read_statement(self) -> Statement:
        token = self._take()
        return self._readers[token.kind](token)

    def _read_content(self, token: Token) -> Content:
        return Content(token.text, token.text)

    def _read_comment(self, token: Token) -> Comment:
        return Comment(Strip(token.open, token.close))

    def _read_decorator(self, token: Token) -> Statement:
        raise self._unknown_decorator(token)

    def _unknown_decorator(self, token: Token) -> TemplateError:
        message = 'the only decorator is the block {{#*inline "name"}}'
        return self._source.error(token.position, message)

    def _read_mustache(self, opening: Token) -> Mustache:
        call = self._read_call()
        unescaped = opening.kind is Kind.OPEN_UNESCAPED
        kind = Kind.CLOSE_UNESCAPED if unescaped else Kind.CLOSE
        closing = self._expect(kind, f"{_MORE}{kind.value}")
        escaped = not unescaped and not opening.text.endswith("&")
        return Mustache(call, escaped, Strip(opening.open, closing.close))

    def _read_opening(self, opening: Token) -> tuple[Call, tuple[str, ...], Strip]:
        """Read the rest of an opening tag, as of `{{#each items as |item|}}`."""
        self._enter(opening.position)
        call = self._read_call()
        names = self._read_names()
        closing = self._expect(Kind.CLOSE, _BLOCK_MORE)
        return call, names, Strip(opening.open, closing.close)

    def _read_names(self) -> tuple[str, ...]:
        if not self._at(Kind.OPEN_PARAMS):
            return ()
        self._take()
        names = [self._expect(Kind.NAME, "a name").text]
        while self._at(Kind.NAME):
            names.append(self._take().text)
        self._expect(Kind.CLOSE_PARAMS, "a name or |")
        return tuple(names)

    def _read_block(self, opening: Token) -> Block:
        call, names, open_strip = self._read_opening(opening)
        program = self._read_program(names)
        inverse, else_strip = self._read_else(chain=True)
        close_strip = self._read_end(opening, call.callee.original)
        self._leave()
        if inverse and inverse.chained:
            _chained(inverse).close_strip = close_strip
        return Block(call, program, inverse, open_strip, else_strip, close_strip)

    def _read_else(self, *, chain: bool) -> tuple[Program | None, Strip]:
        token = self._token
        if token.kind is Kind.ELSE:
            self._take()
            return self._read_program(), Strip(token.open, token.close)
        if token.kind is Kind.OPEN_CHAIN and chain:
            self._take()
            block = self._read_chained(token)
            return Program([block], chained=True), block.open_strip
        return None, Strip()

    def _read_chained(self, opening: Token) -> Block:
        """Read an `{{else if …}}` with all that follows it, up to the end of the whole block."""
        call, names, strip = self._read_opening(opening)
        program = self._read_program(names)
        inverse, else_strip = self._read_else(chain=True)
        self._leave()
        # The block around it sets the close strip; in a longer chain upstream leaves this one.
        return Block(call, program, inverse, strip, else_strip, strip)

    def _read_inverted(self, opening: Token) -> Block:
        call, names, open_strip = self._read_opening(opening)
        inverse = self._read_program(names)
        program, else_strip = self._read_else(chain=False)
        close_strip = self._read_end(opening, call.callee.original)
        self._leave()
        return Block(call, program, inverse, open_strip, else_strip, close_strip)

    def _read_end(self, opening: Token, name: str) -> Strip:
        """Read `{{/name}}`."""
        if not self._at(Kind.OPEN_END):
            line = self._source.text.count("\n", 0, opening.position) + 1
            raise self._unexpected(f"{{{{/{name}}}}} for the block opened in line {line}")
        start = self._take()
        named = self._token
        found = self._read_name("a name")
        if found.original != name:
            message = f"{quote(found.original)}: the block to be closed here is {quote(name)}"
            raise self._source.error(named.position, message)
        return Strip(start.open, self._expect(Kind.CLOSE, Kind.CLOSE.value).close)

    def _read_raw(self, _: Token) -> Block:
        call = self._read_call()
        self._expect(Kind.CLOSE_RAW, f"{_MORE}{Kind.CLOSE_RAW.value}")
        program = Program()
        while self._at(Kind.CONTENT):
            text = self._take().text
            program.body.append(Content(text, text))
        end = self._expect(Kind.END_RAW, Kind.END_RAW.value)
        if end.text != call.callee.original:
            message = f"{quote(end.text)}: the raw block to be closed here is "
            raise self._source.error(end.position, message + quote(call.callee.original))
        return Block(call, program, None, Strip(), Strip(), Strip())

    def _read_inline(self, opening: Token) -> Inline:
        call, names, open_strip = self._read_opening(opening)
        if call.callee.original != "inline":
            raise self._unknown_decorator(opening)
        program = self._read_program(names)
        close_strip = self._read_end(opening, call.callee.original)
        self._leave()
        name = call.params[0] if call.params else None
        return Inline(name, program, open_strip, close_strip, opening.position)

    def _read_partial(self, opening: Token) -> Partial:
        position = self._token.position
        name = self._read_expression()
        params, hash = self._read_arguments()
        closing = self._expect(Kind.CLOSE, _BLOCK_MORE)
        if len(params) > 1:
            raise self._source.error(position, "a partial takes one context at most")
        context = params[0] if params else None
        open_strip = Strip(opening.open, closing.close)
        program, close_strip = None, open_strip
        if opening.kind is Kind.OPEN_PARTIAL_BLOCK:
            self._enter(opening.position)
            program = self._read_program()
            close_strip = self._read_end(opening, _partial_name(name))
            self._leave()
        return Partial(name, context, hash, program, open_strip, close_strip, position)


def _partial_name(name: Expression) -> str:
    # Upstream knows no name for a computed one, and JavaScript calls that "undefined".
    return name.original if isinstance(name, Literal | Path) else "undefined"


def _chained(program: Program) -> Block:
    block = program.body[0]
    if not isinstance(block, Block):
        raise TypeError(block)
    return block

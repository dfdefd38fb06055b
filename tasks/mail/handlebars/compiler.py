"""A program → code: every tag becomes a closure.

Recursion follows the nesting of blocks and subexpressions, which is bounded.
"""

from __future__ import annotations

import dataclasses

from tasks.mail.handlebars import blocks
from tasks.mail.handlebars.binding import Binder, arguments, height, weight
from tasks.mail.handlebars.calls import BLOCK_HELPERS, failing
from tasks.mail.handlebars.code import EMPTY, Code, InlineCode
from tasks.mail.handlebars.errors import Source
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
)
from tasks.mail.handlebars.output import output
from tasks.mail.handlebars.partials import PartialTag, scoped
from tasks.mail.handlebars.runtime import Node, Scope, Value
from tasks.mail.handlebars.values import is_empty, is_true, passes


def compile_program(program: Program, source: Source) -> Code:
    """Compile a whole template."""
    return _Compiler(source).unit(program)


class _Compiler(Binder):
    def __init__(self, source: Source) -> None:
        super().__init__(source)
        #: The most levels so far.
        self._height = 0

    def unit(self, program: Program) -> Code:
        """Compile what is rendered from elsewhere: it counts its levels from its own start."""
        level, height = self._level, self._height
        self._level = self._height = 0
        code = dataclasses.replace(self._program(program), height=self._height)
        self._level, self._height = level, height
        return code

    def _program(self, program: Program) -> Code:
        nodes: list[tuple[str, Node]] = []
        inlines: list[InlineCode] = []
        texts: list[str] = []
        cost, size = 1, 0
        for statement in program.body:
            if isinstance(statement, Content):
                texts.append(statement.text)
                size += len(statement.text)
            elif isinstance(statement, Inline):
                inlines.append(self._inline(statement))
            elif not isinstance(statement, Comment):
                nodes.append(("".join(texts), self._node(statement)))
                texts.clear()
                cost += _weight(statement)
        code = Code(tuple(nodes), "".join(texts), cost, size)
        if inlines:
            return Code((("", scoped(code, tuple(inlines))),), inlines=tuple(inlines))
        return code

    def _node(self, statement: Mustache | Block | Partial) -> Node:
        if isinstance(statement, Partial):
            return self._partial(statement)
        self._reach(*arguments(statement.call))
        if isinstance(statement, Block):
            return self._block(statement)
        return output(self._value(statement.call), escaped=statement.escaped)

    def _reach(self, *expressions: Expression) -> None:
        """Take note of how deep these expressions go."""
        self._height = max(self._height, self._level + height(*expressions))

    def _inside(self, program: Program | None, *, filled: bool = False) -> Code:
        """Compile a program of a block, which may fill the block parameters or not."""
        if program is None:
            return EMPTY
        self._level += 1
        self._height = max(self._height, self._level)
        if program.names:
            self._parameters.append((program.names, filled))
        code = self._program(program)
        if program.names:
            self._parameters.pop()
        self._level -= 1
        return code

    def _block(self, block: Block) -> Node:
        call = block.call
        name = self._helper(call)
        fills = name in ("each", "with", None)
        code = self._inside(block.program, filled=fills)
        otherwise = self._inside(block.inverse)
        named = block.program is not None and bool(block.program.names)
        if name is None:
            return blocks.section(self._subject(call.callee), code, otherwise, named=named)
        if name not in BLOCK_HELPERS:
            return output(self._value(call), escaped=False)
        if len(call.params) != 1:
            message = f"{name} takes one value, not {len(call.params)}"
            return output(failing(message, self._fault(call.position)), escaped=False)
        subject = self._after_hash(call, self._subject(call.params[0]))
        if name in ("each", "with"):
            helper = blocks.each if name == "each" else blocks.with_value
            return helper(subject, code, otherwise, named=named)
        programs = (code, otherwise) if name == "if" else (otherwise, code)
        return blocks.condition(self._passed(call, subject), *programs)

    def _passed(self, call: Call, subject: Value) -> Value:
        """Compile the condition of `if` and `unless`."""
        include_zero = dict(call.hash[::-1]).get("includeZero")
        if include_zero is None:
            return lambda scope: passes(subject(scope))
        included = self._expression(include_zero)

        def passed(scope: Scope) -> bool:
            value = subject(scope)
            return passes(value) or (is_true(included(scope)) and not is_empty(value))

        return passed

    def _inline(self, inline: Inline) -> InlineCode:
        self._parameters.append((inline.program.names, True))
        code = self.unit(inline.program)
        self._parameters.pop()
        if inline.name is None:
            return InlineCode("undefined", code)
        self._reach(inline.name)
        return InlineCode(self._partial_name(inline.name), code)

    def _partial_name(self, name: Expression) -> str | Value:
        return name.original if isinstance(name, Literal) else self._expression(name)

    def _hash(self, partial: Partial) -> tuple[tuple[str, Value], ...] | None:
        if not partial.hash:
            return None
        # Upstream leaves out what is literally undefined: the field of the context stays. It goes
        # from right to left: of two with the same name the left one counts.
        given = [(key, value) for key, value in partial.hash[::-1] if not _is_undefined(value)]
        return tuple((key, self._expression(value)) for key, value in given)

    def _partial(self, partial: Partial) -> Node:
        name, context = partial.name, partial.context
        self._reach(*_expressions(partial))
        return PartialTag(
            name=name.original if isinstance(name, Path) else self._partial_name(name),
            context=None if context is None else self._expression(context),
            hash=self._hash(partial),
            block=None if partial.program is None else self.unit(partial.program),
            indent=partial.indent,
            levels=self._level + 1,
            fault=self._fault(partial.position),
        ).node()


def _is_undefined(expression: Expression) -> bool:
    return isinstance(expression, Literal) and expression.undefined


def _expressions(partial: Partial) -> list[Expression]:
    given = [partial.name, *(value for _, value in partial.hash)]
    return given if partial.context is None else [*given, partial.context]


def _weight(statement: Mustache | Block | Partial) -> int:
    """Give the steps of a tag: one, and one for each value it is given."""
    if isinstance(statement, Partial):
        return weight(*_expressions(statement))
    return weight(statement.call)

"""Expressions → closures: what a name stands for where it is written.

In this order: a block parameter, a helper, a field of the context.
"""

from __future__ import annotations

from typing import Any

from tasks.mail.handlebars import paths
from tasks.mail.handlebars.calls import HELPERS, failing, helper
from tasks.mail.handlebars.errors import Source, TemplateError, quote
from tasks.mail.handlebars.nodes import Call, Expression, Literal, Path
from tasks.mail.handlebars.runtime import Fault, Scope, Value


class Binder:
    """Compiles expressions; keeps the block parameters that can be seen."""

    def __init__(self, source: Source) -> None:
        self._source = source
        #: Block parameters, the outermost block first, and whether their block fills them.
        self._parameters: list[tuple[tuple[str, ...], bool]] = []
        #: Levels of nesting from the start of the template, inline partial or partial block on.
        self._level = 0

    def _expression(self, expression: Expression) -> Value:
        match expression:
            case Literal(value=value):
                return lambda _: value
            case Path():
                return self._path(expression)
        return self._value(expression, bare_is_field=False)

    def _subject(self, expression: Expression) -> Value:
        """Compile what is shown or decides about a block; there `@partial-block` is its text."""
        match expression:
            case Path(data=True, parts=("partial-block",)) if not self._place(expression):
                return paths.partial_block(expression.depth, self._level + 1)
        return self._expression(expression)

    def _path(self, path: Path) -> Value:
        place = self._place(path)
        if place is None:
            return paths.variable(path) if path.data and path.parts else paths.field(path)
        level, index = place
        if level < 0:
            fault = self._fault(path.position)
            message = f"nothing gives the block parameter {quote(path.parts[0])} a value"
            return failing(message, fault)
        return paths.parameter(level, index, path.parts[1:])

    def _place(self, path: Path) -> tuple[int, int] | None:
        """Find the block parameter that a path starts with: the block counted outwards, its place.

        The block is -1 where nothing fills it.
        """
        if not path.parts or path.depth or path.scoped:
            return None
        level = 0
        for names, filled in reversed(self._parameters):
            if path.parts[0] in names:
                return level if filled else -1, names.index(path.parts[0])
            level += filled
        return None

    def _helper(self, call: Call, *, bare_is_field: bool = True) -> str | None:
        """Give the name of the helper that is called, known or not; None for a field."""
        callee = call.callee
        if callee.name is not None and self._place(callee):
            return None
        if call.bare and bare_is_field:
            return callee.name if callee.name in HELPERS else None
        # Upstream looks at the first part only: ./if and if.x call a helper, too.
        first = callee.parts[0] if callee.parts else ""
        return first if first in HELPERS else callee.original

    def _value(self, call: Call, *, bare_is_field: bool = True) -> Value:
        """Compile a call; without parameters it is a field, unless it is a subexpression."""
        name = self._helper(call, bare_is_field=bare_is_field)
        if name is None:
            return self._subject(call.callee)
        params = [self._expression(param) for param in call.params]
        value = helper(name, params, self._path(call.callee), self._fault(call.position))
        return self._after_hash(call, value)

    def _after_hash(self, call: Call, value: Value) -> Value:
        """Compile what comes after the helper's named values: what is wrong with them shows."""
        named = [self._expression(item) for _, item in call.hash if isinstance(item, Call)]
        if not named:
            return value

        def after(scope: Scope) -> Any:
            for item in named:
                item(scope)
            return value(scope)

        return after

    def _fault(self, position: int) -> Fault:
        def fault(message: str, bound: str | None) -> TemplateError:
            return self._source.error(position, message, bound=bound)

        return fault


def height(*expressions: Expression) -> int:
    """Give the levels of subexpressions inside one another, the given ones not counted."""
    return max((1 + height(*arguments(e)) for e in expressions if isinstance(e, Call)), default=0)


def weight(*expressions: Expression) -> int:
    """Count the expressions and all that are inside them."""
    return sum(1 + weight(*arguments(e)) for e in expressions)


def arguments(expression: Expression) -> list[Expression]:
    if not isinstance(expression, Call):
        return []
    return [*expression.params, *(value for _, value in expression.hash)]

"""The helpers with a block: if, unless, each, with; and sections, `{{#name}}` without a helper."""

from __future__ import annotations

from typing import Any

from tasks.mail.handlebars.access import entries
from tasks.mail.handlebars.code import Code, render
from tasks.mail.handlebars.runtime import NO_CONTEXT, Node, Scope, Value, Write
from tasks.mail.handlebars.values import is_empty


def condition(passed: Value, code: Code, otherwise: Code) -> Node:
    """Compile `if`; with the programs exchanged, `unless`."""

    def node(scope: Scope, write: Write) -> None:
        chosen = code if passed(scope) else otherwise
        render(chosen, _here(scope, chosen), write)

    return node


def _here(scope: Scope, code: Code) -> Scope:
    """Give the place of a helper's program that has the context of the helper itself."""
    if scope.context is None:
        return scope.child(NO_CONTEXT)
    return _same(scope, code)


def _same(scope: Scope, code: Code) -> Scope:
    # Inline partials ask for the contexts around the program they stand in.
    return scope.child(scope.context) if code.inlines else scope


def with_value(subject: Value, code: Code, otherwise: Code, *, named: bool) -> Node:
    """Compile `with`; `named`: it has block parameters."""

    def node(scope: Scope, write: Write) -> None:
        value = subject(scope)
        if is_empty(value):
            render(otherwise, _here(scope, otherwise), write)
            return
        child = scope.child(value)
        if named:
            child.parameters = ((value,), scope.parameters)
        render(code, child, write)

    return node


def each(subject: Value, code: Code, otherwise: Code, *, named: bool) -> Node:
    """Compile `each`: over lists and maps; all else has no items."""

    def node(scope: Scope, write: Write) -> None:
        value = subject(scope)
        if value and isinstance(value, list | dict):
            _loop(value, code, scope, write, named=named)
        else:
            render(otherwise, _here(scope, otherwise), write)

    return node


def _loop(
    value: list[Any] | dict[str, Any], code: Code, scope: Scope, write: Write, *, named: bool
) -> None:
    data = scope.data.child()
    place = scope.child(scope.context)
    place.data = data
    outer = scope.parameters
    last = len(value) - 1
    if isinstance(value, dict):
        scope.run.charge(len(value))
    pairs = entries(value) if isinstance(value, dict) else enumerate(value)
    for index, (key, item) in enumerate(pairs):
        data.index, data.key = index, key
        data.first, data.last = index == 0, index == last
        place.move(item)
        if named:
            place.parameters = ((item, key), outer)
        render(code, place, write)


def section(subject: Value, code: Code, otherwise: Code, *, named: bool) -> Node:
    """Compile `{{#name}}`: a list is looped over, true changes nothing, all else is a context."""

    def node(scope: Scope, write: Write) -> None:
        value = subject(scope)
        if value is None or value is False or (isinstance(value, list) and not value):
            render(otherwise, _same(scope, otherwise), write)
        elif isinstance(value, list):
            _loop(value, code, scope, write, named=named)
        else:
            child = _same(scope, code) if value is True else scope.child(value)
            if named:  # nobody fills them
                child = child.child(child.context)
                child.parameters = ((), scope.parameters)
            render(code, child, write)

    return node

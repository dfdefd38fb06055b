"""Paths → closures that give their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.mail.handlebars.access import member
from tasks.mail.handlebars.nodes import Path
from tasks.mail.handlebars.runtime import Data, Scope, Value
from tasks.mail.handlebars.values import is_true


def field(path: Path) -> Value:
    """Compile a path that starts at a context."""
    if not path.parts:
        return _context(path.depth)
    if path.depth:
        return _outer_field(path.depth, path.parts)
    return _own_field(path.parts[0]) if len(path.parts) == 1 else _deep_field(path.parts)


def _context(depth: int) -> Value:
    if depth == 0:
        return lambda scope: scope.context
    return lambda scope: _around(scope, depth)


def _around(scope: Scope, depth: int) -> Any:
    contexts = scope.contexts
    for _ in range(depth):
        if contexts is None:
            return None
        contexts = contexts[1]
    return None if contexts is None else contexts[0]


def _own_field(key: str) -> Value:
    def value(scope: Scope) -> Any:
        context = scope.context
        return context.get(key) if type(context) is dict else member(context, key, scope.run)

    return value


def _deep_field(keys: tuple[str, ...]) -> Value:
    def value(scope: Scope) -> Any:
        found = scope.context
        for key in keys:
            found = found.get(key) if type(found) is dict else member(found, key, scope.run)
        return found

    return value


def _outer_field(depth: int, keys: tuple[str, ...]) -> Value:
    def value(scope: Scope) -> Any:
        found = _around(scope, depth)
        for key in keys:
            found = member(found, key, scope.run)
        return found

    return value


def parameter(level: int, index: int, keys: tuple[str, ...]) -> Value:
    """Compile a path that starts at a block parameter, of the block `level` further out."""

    def value(scope: Scope) -> Any:
        parameters = scope.parameters
        for _ in range(level):
            parameters = parameters[1] if parameters else None
        values = parameters[0] if parameters else ()
        found = values[index] if index < len(values) else None
        for key in keys:
            found = member(found, key, scope.run)
        return found

    return value


def variable(path: Path) -> Value:
    """Compile a path that starts with @. Behind the first name, a false value is the result."""
    read = _VARIABLES.get(path.parts[0])
    if read is None:
        return lambda _: None
    keys, depth = path.parts[1:], path.depth

    def value(scope: Scope) -> Any:
        data = _data(scope, depth)
        found = read(data) if data else None
        for key in keys:
            if not is_true(found):
                return found
            found = member(found, key, scope.run)
        return found

    return value


def _data(scope: Scope, depth: int) -> Data | None:
    data: Data | None = scope.data
    for _ in range(depth):
        data = data.parent if data else None
    return data


def partial_block(depth: int, levels: int) -> Value:
    """Compile `@partial-block` where it is asked for its text, `levels` deep.

    Upstream has a function there, which it calls without a context.
    """

    def value(scope: Scope) -> str | None:
        data = _data(scope, depth)
        return data.block.text(scope.run, levels) if data and data.block else None

    return value


_VARIABLES: dict[str, Callable[[Data], Any]] = {
    "root": lambda data: data.root,
    "key": lambda data: data.key,
    "index": lambda data: data.index,
    "first": lambda data: data.first,
    "last": lambda data: data.last,
}

"""Partials: `{{> name}}`, those with a block of their own, and inline ones."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tasks.mail.handlebars.access import as_map
from tasks.mail.handlebars.code import Code, InlineCode, render
from tasks.mail.handlebars.errors import quote
from tasks.mail.handlebars.runtime import (
    Contexts,
    Data,
    Fault,
    Node,
    Run,
    Scope,
    Value,
    Write,
)
from tasks.mail.handlebars.values import is_true, to_string


#: So many names are compared with that of a missing partial, and no longer ones.
_MAX_COMPARED, _MAX_COMPARED_LENGTH = 1000, 60


class _Target(Protocol):
    """What a partial tag may render."""

    @property
    def code(self) -> Code: ...

    def scope(self, run: Run, context: Any, data: Data, inlines: Mapping[str, Inline]) -> Scope:
        """Give the place where its tags stand."""


@dataclass(frozen=True, slots=True)
class Inline:
    """A partial that stands in a program."""

    code: Code
    #: Inside that program: whose block parameters and inline partials it sees.
    inside: Scope
    #: The contexts around that program.
    outer: Contexts

    def scope(self, run: Run, context: Any, data: Data, _: Mapping[str, Inline]) -> Scope:
        place = Scope(run, self.inside.home, data, context, self.outer)
        place.parameters = ((), self.inside.parameters)
        return place


@dataclass(frozen=True, slots=True)
class PartialBlock:
    """What stands between `{{#> name}}` and its end; `{{> @partial-block}}` shows it."""

    code: Code
    around: Scope

    def scope(self, run: Run, context: Any, data: Data, _: Mapping[str, Inline]) -> Scope:
        own = data.child()
        own.block = self.around.data.block
        place = Scope(run, self.around.home, own, context, self.around.contexts)
        place.parameters = self.around.parameters
        return place

    def text(self, run: Run, levels: int) -> str:
        """Render it without any context, for a tag that takes it for a value."""
        pieces: list[str] = []
        run.enter(levels, self.code.height, run.fault)
        render(self.code, self.scope(run, None, Data(None), {}), pieces.append)
        run.leave(levels)
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class PartialTag:
    """One tag, compiled."""

    #: The partial's name, or what computes it.
    name: str | Value
    #: What gives its context; None: the one around the tag.
    context: Value | None
    #: What is put into its context; None: nothing, and the context stays what it is.
    hash: tuple[tuple[str, Value], ...] | None
    block: Code | None
    indent: str
    #: The levels of nesting from the start of the program up to the partial.
    levels: int
    fault: Fault

    def node(self) -> Node:
        return self._write_indented if self.indent else self._write

    def _write(self, scope: Scope, write: Write) -> None:
        run = scope.run
        context = self._context(scope)
        data, inlines = scope.data, scope.home.inlines
        block = None
        if self.block is not None:
            block = PartialBlock(self.block, scope)
            data = data.child()
            data.block = block
            inlines = with_inlines(inlines, self.block.inlines, scope, scope.contexts)
        target = self._find(scope) or block
        if target is None:
            raise self._missing(scope)
        run.enter(self.levels, target.code.height, self.fault)
        render(target.code, target.scope(run, context, data, inlines), write)
        run.leave(self.levels)

    def _context(self, scope: Scope) -> Any:
        context = self.context(scope) if self.context else scope.context
        if self.hash is not None:
            context = as_map(context, scope.run)
            context.update([(key, value(scope)) for key, value in self.hash])
        return context

    def _name(self, scope: Scope) -> str:
        if isinstance(self.name, str):
            return self.name
        value = self.name(scope)
        return to_string(value) if is_true(value) else "undefined"

    def _find(self, scope: Scope) -> _Target | None:
        if self.name == "@partial-block":
            return scope.data.block
        name = self._name(scope)
        return scope.home.inlines.get(name) or scope.run.partials.get(name)

    def _missing(self, scope: Scope) -> Exception:
        name = self._name(scope)
        names = itertools.chain(scope.home.inlines, scope.run.partials)
        return self.fault(f"there is no partial {quote(name)}{_closest(name, names)}", None)

    def _write_indented(self, scope: Scope, write: Write) -> None:
        pieces: list[str] = []
        self._write(scope, pieces.append)
        if text := "".join(pieces):
            run = scope.run
            run.size -= len(self.indent) * (text.count("\n") + (text[-1] != "\n"))
            if run.size < 0:
                run.overflow()
            write(self.indent)
            write(text[:-1].replace("\n", f"\n{self.indent}"))
            write(text[-1])


def scoped(inner: Code, inlines: tuple[InlineCode, ...]) -> Node:
    """Compile a program with inline partials: they are there from its start to its end."""

    def node(scope: Scope, write: Write) -> None:
        before = scope.home.inlines
        scope.home.inlines = with_inlines(before, inlines, scope, scope.outer)
        render(inner, scope, write)
        scope.home.inlines = before

    return node


def with_inlines(
    inlines: Mapping[str, Inline], more: tuple[InlineCode, ...], inside: Scope, outer: Contexts
) -> Mapping[str, Inline]:
    """Put a program's inline partials before those that are known already."""
    if not more:
        return inlines
    inside.run.charge(len(inlines) + len(more))
    found = {
        _inline_name(inline.name, inside): Inline(inline.code, inside, outer) for inline in more
    }
    return {**inlines, **found}


def _inline_name(name: str | Value, inside: Scope) -> str:
    return name if isinstance(name, str) else to_string(name(inside)) or "undefined"


def _closest(name: str, names: Iterable[str]) -> str:
    some = itertools.islice(names, _MAX_COMPARED)
    short = [known for known in some if len(known) <= _MAX_COMPARED_LENGTH]
    found = difflib.get_close_matches(name[:_MAX_COMPARED_LENGTH], short, 1)
    return f"; the closest name is {quote(found[0])}" if found else ""

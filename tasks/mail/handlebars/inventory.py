"""What a template asks for: the fields of its data and the partials, as far as its text tells.

For people who look at a list of templates; rendering does not need it. Recursion follows the
nesting of blocks and subexpressions, which is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from tasks.mail.handlebars.nodes import (
    Block,
    Call,
    Expression,
    Inline,
    Literal,
    Mustache,
    Partial,
    Path,
    Program,
)


#: The way to a value, as `order.items[].name`; "" for the whole data, None for what is elsewhere.
Origin: TypeAlias = str | None


@dataclass(slots=True)
class Inventory:
    """What was found."""

    #: `items[].name` is the field `name` of each item of `items`.
    fields: set[str] = field(default_factory=set)
    partials: set[str] = field(default_factory=set)
    #: Those of them that have no block to be shown in their place.
    required: set[str] = field(default_factory=set)
    #: Whether a partial's name is computed, as in `{{> (lookup . "footer")}}`.
    computes_partials: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """The contexts around a tag, the innermost first, and the block parameters it sees."""

    contexts: tuple[Origin, ...] = ("",)
    parameters: tuple[tuple[str, Origin], ...] = ()

    def inside(self, context: Origin, names: tuple[str, ...]) -> _Place:
        moved = context is None or context != self.contexts[0]
        contexts = (context, *self.contexts) if moved else self.contexts
        # The second name is that of a key or index.
        given = tuple(zip(names, (context, None), strict=False))
        return _Place(contexts, (*given, *self.parameters))

    def origin(self, path: Path) -> Origin:
        parts = path.parts
        if parts and not path.depth and not path.scoped:
            for name, context in self.parameters:
                if name == parts[0]:
                    return _join(context, parts[1:])
        if path.data and parts:
            return _join("", parts[1:]) if parts[0] == "root" else None
        within = path.depth < len(self.contexts)
        return _join(self.contexts[path.depth], parts) if within else None


def _join(origin: Origin, parts: Iterable[str]) -> Origin:
    if origin is None:
        return None
    written = [part if part.isidentifier() else f"[{part}]" for part in parts]
    return ".".join([origin, *written] if origin else written)


def take(program: Program) -> Inventory:
    """Go through a whole template."""
    taker = _Taker()
    taker.program(program, _Place())
    taker.found.partials -= taker.inlines | {"@partial-block"}
    taker.found.required &= taker.found.partials
    return taker.found


class _Taker:
    def __init__(self) -> None:
        self.found = Inventory()
        self.inlines: set[str] = set()

    def program(self, program: Program | None, place: _Place) -> None:
        for statement in program.body if program else ():
            match statement:
                case Mustache():
                    self._value(statement.call, place)
                case Block():
                    self._block(statement, place)
                case Partial():
                    self._partial(statement, place)
                case Inline(name=name):
                    if isinstance(name, Literal):
                        self.inlines.add(name.original)
                    self.program(statement.program, place)

    def _block(self, block: Block, place: _Place) -> None:
        subject = self._value(block.call, place)
        name = block.call.callee.original
        names = block.program.names if block.program else ()
        inside = place
        if name == "each":
            inside = place.inside(None if subject is None else f"{subject}[]", names)
        elif name == "with" or block.call.bare:
            inside = place.inside(subject, names)
        self.program(block.program, inside)
        self.program(block.inverse, place)

    def _partial(self, partial: Partial, place: _Place) -> None:
        if isinstance(partial.name, Path | Literal):
            self.found.partials.add(partial.name.original)
            if partial.program is None:
                self.found.required.add(partial.name.original)
        else:
            self.found.computes_partials = True
            self._value(partial.name, place)
        if partial.context is not None:
            self._value(partial.context, place)
        for _, value in partial.hash:
            self._value(value, place)
        self.program(partial.program, place)

    def _value(self, expression: Expression, place: _Place) -> Origin:
        """Note the fields of an expression; give where its value comes from."""
        if isinstance(expression, Literal):
            return None
        if isinstance(expression, Path):
            return self._note(place.origin(expression))
        if expression.bare:
            return self._note(place.origin(expression.callee))
        return self._call(expression, place)

    def _call(self, call: Call, place: _Place) -> Origin:
        match call:
            case Call(callee=Path(original="lookup"), params=[Path() as held, Literal() as key]):
                return self._note(_join(place.origin(held), [key.original]))
        origins = [self._value(param, place) for param in call.params]
        for _, value in call.hash:
            self._value(value, place)
        return origins[0] if origins else None

    def _note(self, origin: Origin) -> Origin:
        if origin:
            self.found.fields.add(origin)
        return origin

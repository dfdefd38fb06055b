"""What the parser makes of a template.

Program        a sequence of statements
  Content      text                         Mustache   {{x}}, {{{x}}}
  Block        {{#x}}…{{else}}…{{/x}}       Partial    {{> x}}, {{#> x}}…{{/x}}
  Inline       {{#*inline "x"}}…            Comment    {{! x}}
Expression
  Path         a.b, ../a, @key              Literal    "x", 1, true
  Call         name params key=value: a subexpression, and the inside of a mustache or block
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Path:
    """A way from a context to a value."""

    #: As written, but without brackets: the name of a partial, and what a block's end repeats.
    original: str
    #: The keys, from the context on; none for the context itself.
    parts: tuple[str, ...]
    position: int
    #: How often `..` stands in front.
    depth: int = 0
    #: Whether it starts with @.
    data: bool = False

    @property
    def scoped(self) -> bool:
        """Whether it says itself that a field is meant: `./x`, `this.x`."""
        return _SCOPED.search(self.original) is not None

    @property
    def name(self) -> str | None:
        """Its single part, if it may be the name of a helper or of a block parameter."""
        return None if self.depth or len(self.parts) != 1 or self.scoped else self.parts[0]


#: Upstream's rule: what ends in "this" counts, too.
_SCOPED = re.compile(r"^\.|this(?![A-Za-z0-9_])")


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the template."""

    value: str | int | float | bool | None
    #: As a name: `{{12}}` looks for the key "12", `{{> 12}}` for the partial "12".
    original: str
    position: int
    #: It is the word undefined.
    undefined: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """`name params key=value`; whether it calls a helper or reads a field shows later."""

    callee: Path
    params: tuple[Expression, ...]
    hash: tuple[tuple[str, Expression], ...]
    position: int

    @property
    def bare(self) -> bool:
        return not self.params and not self.hash


Expression: TypeAlias = Path | Literal | Call


@dataclass(frozen=True, slots=True)
class Strip:
    """Where a tag has a ~: on its left side (`open`), on its right side (`close`)."""

    open: bool = False
    close: bool = False


@dataclass(slots=True)
class Content:
    """Text; the white space pass takes from `text` and leaves `original`."""

    text: str
    original: str
    left_stripped: bool = False
    right_stripped: bool = False


@dataclass(slots=True)
class Comment:
    strip: Strip


@dataclass(slots=True)
class Mustache:
    call: Call
    escaped: bool
    strip: Strip


@dataclass(slots=True)
class Program:
    body: list[Statement] = field(default_factory=list)
    #: The names between the bars of `as |a b|`.
    names: tuple[str, ...] = ()
    #: It is the rest of a chain, from an `else if` on: its one statement is that block.
    chained: bool = False


@dataclass(slots=True)
class Block:
    """Either program may lack: `{{^x}}` has no `program`."""

    call: Call
    program: Program | None
    inverse: Program | None
    open_strip: Strip
    else_strip: Strip
    close_strip: Strip


@dataclass(slots=True)
class Inline:
    """A partial for the block or template around it."""

    name: Expression | None
    program: Program
    open_strip: Strip
    close_strip: Strip
    position: int


@dataclass(slots=True)
class Partial:
    """`program` is the content of a block form, what `@partial-block` shows."""

    name: Expression
    context: Expression | None
    hash: tuple[tuple[str, Expression], ...]
    program: Program | None
    open_strip: Strip
    close_strip: Strip
    position: int
    #: White space before a partial that stands alone on its line.
    indent: str = ""


Statement: TypeAlias = Content | Comment | Mustache | Block | Inline | Partial

"""A program, compiled: closures to be called one after another."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.mail.handlebars.runtime import Node, Scope, Value, Write


@dataclass(frozen=True, slots=True)
class Code:
    """What one program writes: before each node its text, and at last `tail`."""

    nodes: tuple[tuple[str, Node], ...] = ()
    tail: str = ""
    #: The steps it takes, blocks and partials inside it aside.
    cost: int = 1
    #: The characters of its texts.
    size: int = 0
    #: Levels of blocks and subexpressions inside it.
    height: int = 0
    #: Its inline partials.
    inlines: tuple[InlineCode, ...] = ()


@dataclass(frozen=True, slots=True)
class InlineCode:
    """A partial for the program it stands in."""

    name: str | Value
    code: Code


def render(code: Code, scope: Scope, write: Write) -> None:
    """Write what the program gives."""
    run = scope.run
    run.steps -= code.cost
    if run.steps < 0:
        run.refill()
    run.size -= code.size
    if run.size < 0:
        run.overflow()
    for text, node in code.nodes:
        write(text)
        node(scope, write)
    write(code.tail)


EMPTY = Code()

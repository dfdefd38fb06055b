"""White space that the author did not mean to be in the result.

A ~ takes all white space on its side of the tag. A block's tags, an inline partial's, a comment and
a partial that stand alone on their lines take these lines with them; a partial's indentation is
kept, to be put before each of its lines.

Recursion follows the nesting of blocks, which is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.mail.handlebars.nodes import (
    Block,
    Comment,
    Content,
    Inline,
    Mustache,
    Partial,
    Program,
    Statement,
    Strip,
)
from tasks.mail.handlebars.values import SPACE


@dataclass(frozen=True, slots=True)
class _Edges:
    """What a statement asks of the text to its left and right."""

    strip: Strip
    #: Nothing but white space stands between the opening tag and the next line.
    opens_line: bool = False
    #: The same before the closing tag.
    closes_line: bool = False
    #: It is one tag that may have a line of its own.
    inline: bool = False
    #: What a block holds behind its opening tag, and before its closing tag.
    first: Sequence[Statement] = ()
    last: Sequence[Statement] = ()


def control(program: Program) -> None:
    """Take the white space out of a whole template, in place."""
    _control(program, root=True)


def _control(program: Program, *, root: bool) -> None:
    body = program.body
    for index, statement in enumerate(body):
        edges = _edges(statement)
        if edges is None:
            continue
        starts = _line_starts(body, index, root=root)
        ends = _line_ends(body, index, root=root)
        if edges.strip.close:
            _strip_right(body, index + 1)
        if edges.strip.open:
            _strip_left(body, index - 1)
        if edges.inline and starts and ends:
            _end_line(body, index + 1)
            indent = _start_line(body, index - 1)
            if isinstance(statement, Partial):
                statement.indent = indent
        if edges.opens_line and starts:
            _end_line(edges.first, 0)
            _start_line(body, index - 1)
        if edges.closes_line and ends:
            _end_line(body, index + 1)
            _start_line(edges.last, len(edges.last) - 1)


def _edges(statement: Statement) -> _Edges | None:
    match statement:
        case Mustache():
            return _Edges(statement.strip)
        case Comment():
            return _Edges(statement.strip, inline=True)
        case Partial(program=None):
            return _Edges(statement.open_strip, inline=True)
        case Block() | Inline() | Partial():
            return _control_block(statement)
    return None


def _control_block(block: Block | Inline | Partial) -> _Edges:
    programs = _programs(block)
    for program in programs:
        _control(program, root=False)
    body = last = programs[0].body
    if block.open_strip.close:
        _strip_right(body, 0)
    if isinstance(block, Block) and len(programs) > 1:
        last = _after_else(programs[1])
        if block.else_strip.open:
            _strip_left(body, len(body) - 1)
        if block.else_strip.close:
            _strip_right(last, 0)
    if block.close_strip.open:
        _strip_left(last, len(last) - 1)
    if last is not body and _line_starts(body, len(body)) and _line_ends(last, -1):
        _start_line(body, len(body) - 1)
        _end_line(last, 0)
    return _Edges(
        Strip(block.open_strip.open, block.close_strip.close),
        opens_line=_line_ends(body, -1),
        closes_line=_line_starts(last, len(last)),
        first=body,
        last=programs[-1].body,
    )


def _after_else(inverse: Program) -> list[Statement]:
    """Give what follows the else itself: of `{{else if}}`, what that block holds."""
    block = inverse.body[0] if inverse.chained else None
    return block.program.body if isinstance(block, Block) and block.program else inverse.body


def _programs(block: Block | Inline | Partial) -> list[Program]:
    """Give one program or two; the second is what stands after the else."""
    programs = [block.program, block.inverse if isinstance(block, Block) else None]
    return [program for program in programs if program is not None]


def _line_starts(body: Sequence[Statement], index: int, *, root: bool = False) -> bool:
    """Whether only white space stands between the statement at `index` and its line's start."""
    if index == 0:
        return root
    before = body[index - 1]
    if not isinstance(before, Content):
        return False
    rest = before.original.rstrip(SPACE)
    return "\n" in before.original[len(rest) :] or (root and index == 1 and not rest)


def _line_ends(body: Sequence[Statement], index: int, *, root: bool = False) -> bool:
    """Whether only white space stands between the statement at `index` and its line's end."""
    if index + 1 == len(body):
        return root
    after = body[index + 1]
    if not isinstance(after, Content):
        return False
    rest = after.original.lstrip(SPACE)
    space = after.original[: len(after.original) - len(rest)]
    return "\n" in space or (root and index + 2 == len(body) and not rest)


def _content(body: Sequence[Statement], index: int) -> Content | None:
    if not 0 <= index < len(body):
        return None
    statement = body[index]
    return statement if isinstance(statement, Content) else None


def _strip_left(body: Sequence[Statement], index: int) -> None:
    """Take all white space from the end of the text at `index`: what is left of a tag."""
    if content := _content(body, index):
        stripped = content.text.rstrip(SPACE)
        content.left_stripped = stripped != content.text
        content.text = stripped


def _strip_right(body: Sequence[Statement], index: int) -> None:
    """Take all white space from the start of the text at `index`: what is right of a tag."""
    if content := _content(body, index):
        stripped = content.text.lstrip(SPACE)
        content.right_stripped = stripped != content.text
        content.text = stripped


def _start_line(body: Sequence[Statement], index: int) -> str:
    """Take the indentation from the end of the text at `index`, unless it is gone; give it."""
    content = _content(body, index)
    if content is None or content.left_stripped:
        return ""
    stripped = content.text.rstrip(" \t")
    indent = content.text[len(stripped) :]
    content.left_stripped = bool(indent)
    content.text = stripped
    return indent


def _end_line(body: Sequence[Statement], index: int) -> None:
    """Take the rest of the line from the start of the text at `index`, unless it is gone."""
    content = _content(body, index)
    if content is None or content.right_stripped:
        return
    stripped = content.text.lstrip(" \t")
    if stripped.startswith("\r\n"):
        stripped = stripped[2:]
    elif stripped.startswith(("\r", "\n")):
        stripped = stripped[1:]
    content.right_stripped = stripped != content.text
    content.text = stripped

"""A question before many mails are changed, and a bar while they are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tasks.commands import output
from tasks.commands.connection import fail
from tasks.commands.exits import Exit


def confirm(question: str, *, yes: bool) -> None:
    """Ask at a terminal; elsewhere only `--yes` will do. Leaves when the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail(f"{question} Say --yes: there is no terminal to ask at", Exit.USAGE)
    if not typer.confirm(question, err=True):
        fail("Nothing was changed", Exit.FAILED)


@contextmanager
def bar(what: str, total: int | None) -> Iterator[Callable[[int, int], None]]:
    """Show how far it is, at a terminal; gives what tells the progress."""
    console = output.errors()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda looked_at, _changed: progress.update(task, completed=looked_at)

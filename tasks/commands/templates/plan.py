"""Shows what would change, and asks whether it may."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.text import Text

from tasks.commands.templates.difference import Difference
from tasks.commands.templates.opening import printable


_STYLES = {"+++": "bold", "---": "bold", "+": "green", "-": "red", "@": "cyan"}
_DONE = {"add": "added", "change": "changed", "delete": "deleted"}


def agreed(
    found: Sequence[Difference], target: str, *, yes: bool, dry_run: bool, as_json: bool
) -> bool:
    """Show the differences; tell whether they may be brought about.

    Without --yes a terminal is asked; where there is none, the command ends.
    """
    if not as_json:
        _show(found, target)
    if dry_run or not found:
        return False
    if yes:
        return True
    if not sys.stdin.isatty():
        sys.exit("Nothing was done: there is no terminal to ask. Say --yes.")
    return typer.confirm(f"Change {target}?", default=False, err=as_json)


def report(found: Sequence[Difference], *, done: bool, as_json: bool) -> None:
    """Say what was done, or would be."""
    if as_json:
        rows = [
            {
                "action": each.action,
                "name": each.key.name,
                "partial": each.key.partial,
                "files": list(each.changes),
            }
            for each in found
        ]
        typer.echo(json.dumps({"done": done, "changes": rows}, indent=2, ensure_ascii=False))
    elif done:
        typer.echo(_count(found))
    elif found:
        typer.echo("Nothing was done.")


def _show(found: Sequence[Difference], target: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for each in found:
        console.print(Text(printable(f"{each.action} {each.key}"), style="bold yellow"))
        for line in each.lines():
            style = next((s for start, s in _STYLES.items() if line.startswith(start)), "")
            console.print(Text(printable(line), style=style))
    if not found:
        typer.echo(f"{target} is the same already.")


def _count(found: Sequence[Difference]) -> str:
    counts = {word: sum(each.action == action for each in found) for action, word in _DONE.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)

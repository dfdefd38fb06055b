"""`python -m config`: show the settings, and whether the servers they name answer."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config import checks, settings, show
from config.checks import Finding, Level
from config.firebase.command import import_firebase
from config.settings import Settings


cli = typer.Typer(add_completion=False)

_STYLES = {
    Level.OK: "green",
    Level.UNKNOWN: "dim",
    Level.WARNING: "yellow",
    Level.FAILED: "red",
}


@cli.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    *,
    offline: Annotated[bool, typer.Option(help="Check the settings only; ask no server.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the settings with secrets hidden, and check that the servers they name answer.

    Exit code 0: all is well; 1: a server does not answer or is not fit; 78: bad settings.
    """
    if context.invoked_subcommand is not None:
        return
    ours = settings.load_or_exit()
    console = Console(highlight=False, soft_wrap=True)
    if not as_json:
        _print_settings(console, ours)
    findings = [] if offline else checks.run(ours)
    if as_json:
        _print_json(ours, findings)
    else:
        _print_findings(console, findings)
    raise typer.Exit(any(finding.level is Level.FAILED for finding in findings))


def _print_settings(console: Console, ours: Settings) -> None:
    rows = show.rows(ours)
    if not console.is_terminal:
        for row in rows:
            console.print(Text(f"{row.variable}={row.value}"))
        return
    table = Table("Variable", "Value", "From", box=None, header_style="bold")
    for row in rows:
        style = "dim" if row.source == "default" else ""
        table.add_row(row.variable, Text(row.value), row.source, style=style)
    console.print(table)


def _print_findings(console: Console, findings: list[Finding]) -> None:
    for finding in findings:
        # In a pipe a comment, so that the whole reads as an .env file.
        mark = "" if console.is_terminal else "# "
        console.print(Text(f"{mark}{finding}", style=_STYLES[finding.level]))


def _print_json(ours: Settings, findings: list[Finding]) -> None:
    report = {
        "settings": {r.variable: {"value": r.value, "from": r.source} for r in show.rows(ours)},
        "checks": [
            dataclasses.asdict(finding) | {"level": finding.level.name.lower()}
            for finding in findings
        ],
    }
    json.dump(report, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write(os.linesep)


cli.command()(import_firebase)


if __name__ == "__main__":
    cli()

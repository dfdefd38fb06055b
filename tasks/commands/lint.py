"""`python -m tasks lint`: what is wrong with a document, without sending it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from config import settings
from config.errors import BadSettings
from config.settings import Settings
from tasks.commands import given, terminal
from tasks.commands.judging import Judgement, judge


def lint(
    target: Annotated[str, typer.Argument(metavar="FILE|ID", help=given.HELP)],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what is wrong with a mail document, without sending it.

    Asks no server, but for a mail of the collection. Users and files from elsewhere are taken for
    there. Exit code 0: it would be sent, 1: it would not, 2: it cannot be read, 78: bad settings.
    """
    if given.is_file(target):
        found, ours = given.from_file(target), _settings()
    else:
        ours = settings.load_or_exit()
        found = given.from_collection(target, ours)
    judgement = judge(found, ours, datetime.now(UTC))
    if as_json:
        terminal.print_json(_report(judgement))
    elif terminal.is_person():
        _print_table(judgement)
    else:
        _print_lines(judgement)
    raise typer.Exit(bool(judgement.problems))


def _settings() -> Settings | None:
    try:
        return settings.load()
    except BadSettings:
        typer.echo("no settings here: judged as if they allowed everything", err=True)
        return None


def _report(judgement: Judgement) -> dict[str, object]:
    return {
        "problems": [
            {"path": each.path.rstrip(":"), "code": each.code.value, "text": each.text}
            for each in judgement.problems
        ],
        "unlisted": judgement.unlisted,
        "warnings": [{"path": each.path, "text": each.text} for each in judgement.oddities],
    }


def _print_table(judgement: Judgement) -> None:
    if not judgement.problems and not judgement.oddities:
        typer.echo("Nothing is wrong with it.")
        return
    rows = [("error", each.path.rstrip(":"), each.text) for each in judgement.problems]
    if judgement.unlisted:
        rows.append(("error", "", f"and {judgement.unlisted} more"))
    styles = ["red"] * len(rows)
    rows += [("warning", each.path, each.text) for each in judgement.oddities]
    styles += ["yellow"] * len(judgement.oddities)
    terminal.table(("", "Field", "What is wrong"), rows, styles)


def _print_lines(judgement: Judgement) -> None:
    for problem in judgement.problems:
        typer.echo(terminal.clean(f"error: {problem}"))
    if judgement.unlisted:
        typer.echo(f"error: and {judgement.unlisted} more")
    for oddity in judgement.oddities:
        typer.echo(terminal.clean(f"warning: {oddity}"))

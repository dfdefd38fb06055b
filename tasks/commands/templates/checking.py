"""`python -m tasks templates check`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tasks.commands.templates import opening
from tasks.operating import template_checks


def check(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False
) -> None:
    """Render every template with its sample, and report all that is wrong.

    Exit code 0: nothing is; 1: something is.
    """
    with opening.collection() as (settings, collection):
        library = opening.library(collection.find({}), settings)
    found = [
        (each, fault)
        for each in library
        for fault in template_checks.faults_of(each, library, inline_css=settings.inline_css)
    ]
    found += template_checks.hidden(library)
    count = len(list(library)) + len(library.hidden)
    if as_json:
        errors = [
            {"name": each.name, "partial": each.partial, "error": fault} for each, fault in found
        ]
        typer.echo(json.dumps({"templates": count, "errors": errors}, indent=2))
    else:
        for each, fault in found:
            what = "partial" if each.partial else "template"
            typer.echo(opening.printable(f"{what} {each.name}: {fault}"))
        typer.echo(f"{count} templates, {len(found)} errors")
    raise typer.Exit(bool(found))

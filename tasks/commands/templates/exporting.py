"""`python -m tasks templates export`: the collection → a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tasks.commands.templates import folder, opening, plan, shelf
from tasks.commands.templates.difference import differences
from tasks.mail.templates.template import order


def export(
    directory: Annotated[Path, typer.Argument(help="Made when it is not there.")],
    *,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete templates that are not in the collection.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Write the collection's templates into a folder, a file for each field.

    Shows the difference first. Other files in the folder stay as they are.
    """
    try:
        before = folder.read(directory) if directory.exists() else {}
        with opening.collection() as (settings, collection):
            documents = {order(each["_id"]): each for each in collection.find({})}
            library = opening.library(documents.values(), settings)
        wanted = shelf.of(library, documents)
        for key in wanted:
            folder.encoded(key.name)
        found = differences(before, wanted, delete=delete)
        done = plan.agreed(found, str(directory), yes=yes, dry_run=dry_run, as_json=as_json)
        if done:
            folder.write(directory, found)
    except (folder.FolderError, OSError) as error:
        sys.exit(f"export: {error}")
    plan.report(found, done=done, as_json=as_json)

"""`python -m tasks templates list`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.commands.templates import opening
from tasks.operating import template_checks
from tasks.operating.templates import described


def list_(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False
) -> None:
    """List the templates: fields, data and partials they use, last change, compile errors."""
    with opening.collection() as (settings, collection):
        library = opening.library(collection.find({}), settings)
    rows = [described(each, library) for each in library]
    rows += [
        described(each, library) | {"errors": [why]}
        for each, why in template_checks.hidden(library)
    ]
    rows.sort(key=lambda row: (row["partial"], row["name"]))
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif rows:
        _print(rows)
    else:
        typer.echo(f"{collection.full_name} has no templates")


def _print(rows: list[dict[str, Any]]) -> None:
    console = Console(highlight=False)
    table = Table("Name", "Fields", "Data", "Partials", "Last change", box=None, pad_edge=False)
    for row in rows:
        name = f"{row['name']} (partial)" if row["partial"] else row["name"]
        partials = row["partials"] + (["(computed)"] if row["computesPartials"] else [])
        cells = [name, " ".join(row["fields"]), " ".join(row["data"]), " ".join(partials)]
        table.add_row(*(Text(opening.printable(cell)) for cell in cells), _changed(row))
    console.print(table)
    for row in rows:
        for error in row["errors"]:
            line = opening.printable(f"{row['name']}: {error}")
            console.print(Text(line, style="red"), soft_wrap=True)


def _changed(row: dict[str, Any]) -> str:
    if row["changed"]:
        return f"{datetime.fromisoformat(row['changed']):%Y-%m-%d %H:%M}"
    if row["created"]:
        return f"{datetime.fromisoformat(row['created']):%Y-%m-%d %H:%M} (made)"
    return "unknown"

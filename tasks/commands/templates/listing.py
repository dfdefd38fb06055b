"""`python -m tasks templates list`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer
from bson import ObjectId
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.commands.templates import checks, opening
from tasks.mail.templates import Library
from tasks.mail.templates.template import Template


def list_(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False
) -> None:
    """List the templates: fields, data and partials they use, last change, compile errors."""
    with opening.collection() as (settings, collection):
        library = opening.library(collection.find({}), settings)
    rows = [_row(each, library) for each in library]
    rows += [_row(each, library) | {"errors": [why]} for each, why in checks.hidden(library)]
    rows.sort(key=lambda row: (row["partial"], row["name"]))
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif rows:
        _print(rows)
    else:
        typer.echo(f"{collection.full_name} has no templates")


def _row(template: Template, library: Library) -> dict[str, Any]:
    parts = checks.parts(template, library)
    compiled = [part.compiled for part in parts if part.compiled]
    fields = list(template.texts)
    if template.attachments is not None:
        fields.append("attachments")
    return {
        "name": template.name,
        "partial": template.partial,
        "fields": fields,
        "data": sorted({name for each in compiled for name in each.fields}),
        "partials": sorted({name for each in compiled for name in each.partials}),
        "computesPartials": any(each.computes_partials for each in compiled),
        "sample": template.sample is not None,
        "changed": template.updated.isoformat() if template.updated else None,
        "created": created(template.id),
        "errors": checks.faults_of(template, library, render=False),
    }


def created(id: Any) -> str | None:
    """Give the time that an ObjectId was made."""
    return id.generation_time.isoformat() if isinstance(id, ObjectId) else None


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

"""`python -m tasks schema`: the JSON Schema of a document."""

from __future__ import annotations

import json

import typer

from tasks.mail import json_schema


def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of a mail document, in MongoDB's Extended JSON."""
    typer.echo(json.dumps(json_schema.published(), indent=2, ensure_ascii=False))

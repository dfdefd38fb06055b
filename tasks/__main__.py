"""`python -m tasks`: what operators and authors do by hand."""

from __future__ import annotations

import typer

from tasks.commands.lint import lint
from tasks.commands.preview import preview
from tasks.commands.schema import schema
from tasks.commands.setup import setup


cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
cli.command()(setup)
cli.command()(schema)
cli.command()(lint)
cli.command()(preview)


@cli.callback()
def _root() -> None:
    """Mailtrigger's commands."""


if __name__ == "__main__":
    cli()

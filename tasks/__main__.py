"""`python -m tasks`: what operators and authors do by hand."""

from __future__ import annotations

import typer

from tasks.commands.setup import setup
from tasks.commands.templates import templates


cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
cli.command()(setup)
cli.add_typer(templates, name="templates")


@cli.callback()
def _root() -> None:
    """Mailtrigger's commands."""


if __name__ == "__main__":
    cli()

"""`python -m tasks`: what operators and authors do by hand."""

from __future__ import annotations

import typer

from tasks.commands.cancel import cancel
from tasks.commands.doctor import doctor
from tasks.commands.lint import lint
from tasks.commands.list_ import list_
from tasks.commands.preview import preview
from tasks.commands.purge import purge
from tasks.commands.resend import resend
from tasks.commands.retry import retry
from tasks.commands.schema import schema
from tasks.commands.send import send
from tasks.commands.setup import setup
from tasks.commands.stats import stats
from tasks.commands.status import status
from tasks.commands.templates import templates
from tasks.commands.watch import watch


cli = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
cli.command()(setup)
cli.command()(send)
cli.command()(status)
cli.command("list")(list_)
cli.command()(watch)
cli.command()(retry)
cli.command()(resend)
cli.command()(cancel)
cli.command()(stats)
cli.command()(purge)
cli.command()(doctor)
cli.command()(schema)
cli.command()(lint)
cli.command()(preview)
cli.add_typer(templates, name="templates")


@cli.callback()
def _root() -> None:
    """Mailtrigger's commands."""


if __name__ == "__main__":
    cli()

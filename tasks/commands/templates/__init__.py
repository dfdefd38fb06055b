"""`python -m tasks templates`: what authors of templates do by hand.

listing     list            checking   check           previewing  preview
importing   import DIR      exporting  export DIR
opening     the collection, read
shelf       templates as files         folder          files in a folder
difference  between two shelves        plan            shows it, and asks
"""

from __future__ import annotations

import typer

from tasks.commands.templates.checking import check
from tasks.commands.templates.exporting import export
from tasks.commands.templates.importing import import_
from tasks.commands.templates.listing import list_
from tasks.commands.templates.previewing import preview


templates = typer.Typer(
    no_args_is_help=True, help="Templates: list, check, preview, import, export."
)
templates.command("list")(list_)
templates.command()(check)
templates.command()(preview)
templates.command("import")(import_)
templates.command()(export)

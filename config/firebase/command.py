"""`python -m config import-firebase`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from config.firebase import parameters
from config.firebase.translate import translate


def import_firebase(
    file: Annotated[Path, typer.Argument(help="The extension's own environment file.")],
) -> None:
    """Print our environment file, made of extensions/firestore-send-email.env.

    What differs, or is left to do, is said on stderr, a line for each. Exit code 2: the file cannot
    be read.
    """
    try:
        found = parameters.read(file.read_text(encoding="utf-8"))
    except OSError as error:
        typer.echo(f"{file}: {error.strerror}", err=True)
        raise typer.Exit(2) from None
    except UnicodeDecodeError:
        typer.echo(f"{file}: is not UTF-8", err=True)
        raise typer.Exit(2) from None
    draft = translate(found.values)
    for line in draft.lines:
        typer.echo(line)
    for number in found.unread:
        typer.echo(f"line {number}: is not NAME=value: left out", err=True)
    for name in found.cut:
        typer.echo(f"{name}: what follows the # was never read, here neither", err=True)
    for remark in draft.remarks:
        typer.echo(remark, err=True)

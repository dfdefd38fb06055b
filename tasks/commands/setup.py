"""`python -m tasks setup`: the indexes, and the validator."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from config import logs, mongo
from config.mongo import Document
from config.settings import load_or_exit
from tasks import validator
from tasks.clock import ServerClock
from tasks.delivery import forged
from tasks.validator import ForeignValidator, Mode


_MEANS = {
    Mode.WARN: "every insert is taken; MongoDB's own log says what is wrong with the document",
    Mode.ERROR: "MongoDB refuses inserts of bad documents, and updates that make a good one bad;"
    " services get error 121, whose errInfo names the field",
    Mode.OFF: "every insert is taken",
}


def setup(
    mode: Annotated[
        Mode | None,
        typer.Option(
            "--validator",
            help="What MongoDB does with a bad document at its insert. Default: leave it as it is.",
        ),
    ] = None,
) -> None:
    """Make the indexes; harmless when they are there. The Procfile's release line."""
    settings = load_or_exit()
    logs.configure(settings.log_level, settings.log_format)
    with mongo.connect(settings, role="setup") as client:
        mails = mongo.mail_collection(client, settings)
        try:
            names = forged.ensure_indexes(mails, ServerClock(client)(), settings.ttl)
            typer.echo(f"{mails.full_name}: indexes {', '.join(names)}")
            _validator(mails, mode)
        except ForeignValidator:
            sys.exit(f"setup: {mails.full_name} has a validator that is not ours; remove it first")
        except PyMongoError as error:
            sys.exit(f"setup: MongoDB refused: {logs.redact(str(error))}")


def _validator(mails: Collection[Document], mode: Mode | None) -> None:
    """Set it as asked; unasked, bring ours up to this version."""
    if mode is not None:
        validator.install(mails, mode)
        typer.echo(f"{mails.full_name}: validator {mode}: {_MEANS[mode]}")
        return
    try:
        there = validator.installed(mails)
    except ForeignValidator:
        return
    if there is not Mode.OFF:
        validator.install(mails, there)
        typer.echo(f"{mails.full_name}: validator {there}")

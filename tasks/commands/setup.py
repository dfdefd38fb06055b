"""`python -m tasks setup`: the indexes."""

from __future__ import annotations

import sys

import typer
from pymongo.errors import PyMongoError

from config import logs, mongo
from config.settings import load_or_exit
from tasks.clock import ServerClock
from tasks.delivery import forged


def setup() -> None:
    """Make the indexes; harmless when they are there. The Procfile's release line."""
    settings = load_or_exit()
    logs.configure(settings.log_level, settings.log_format)
    with mongo.connect(settings, role="setup") as client:
        mails = mongo.mail_collection(client, settings)
        try:
            names = forged.ensure_indexes(mails, ServerClock(client)(), settings.ttl)
        except PyMongoError as error:
            sys.exit(f"setup: MongoDB refused: {logs.redact(str(error))}")
    typer.echo(f"{mails.full_name}: indexes {', '.join(names)}")

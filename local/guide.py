"""Where to look, and two lines to try."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from config.settings import Settings
from local import environment
from local.ports import LOOPBACK
from local.stack import Stack


_DOCUMENT = '{to: "you@example.com", message: {subject: "Hello", text: "It works."}}'
_PYTHON_DOCUMENT = '{"to": "you@example.com", "message": {"subject": "Hello", "text": "It works."}}'


def text(stack: Stack, settings: Settings, *, own_mongodb: bool) -> str:
    """Say where to look; a MongoDB URI of the user's own is not shown, it may hold a password."""
    lines = []
    if stack.inbox_port is not None:
        lines.append(f"Inbox     http://{LOOPBACK}:{stack.inbox_port}")
    lines.append(f"Console   {stack.console_url}")
    lines.append(f"Flower    {stack.flower_url}")
    if own_mongodb:
        place = f"{settings.database}.{settings.mail_collection}"
        lines.append(f"MongoDB   yours; insert into {place}")
    else:
        uri = settings.mongodb_uri.get_secret_value()
        lines += [f"MongoDB   {uri}", "", "Insert a mail:", *_inserts(uri, settings)]
    lines += ["", "For `python -m tasks`, in another terminal:", f"  {_exports()}"]
    return "\n".join(lines)


def _exports() -> str:
    """One line that makes another terminal know this stack; secrets of the user's are not in it."""
    pairs = (f"{name}={shlex.quote(value)}" for name, value in environment.published().items())
    return f"export {' '.join(pairs)}"


def _inserts(uri: str, settings: Settings) -> list[str]:
    """Two commands, for pasting into a shell; they name everything, so that nothing need be set."""
    database, collection = settings.database, settings.mail_collection
    script = f'db.getSiblingDB("{database}").getCollection("{collection}").insertOne({_DOCUMENT})'
    program = (
        f'from pymongo import MongoClient; MongoClient("{uri}")'
        f'["{database}"]["{collection}"].insert_one({_PYTHON_DOCUMENT})'
    )
    return [
        f"  mongosh {shlex.quote(uri)} --eval {shlex.quote(script)}",
        f"  {shlex.quote(_python())} -c {shlex.quote(program)}",
    ]


def _python() -> str:
    """Our interpreter, as short as can be from here."""
    program = Path(sys.executable)
    return os.path.relpath(program) if program.is_relative_to(Path.cwd()) else str(program)

"""What every command begins with: settings, mails, MongoDB's time; and errors in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import pymongo
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError
from redis.exceptions import RedisError

from config import logs, mongo
from config.mongo import Document
from config.settings import Settings, load_or_exit
from tasks.clock import ServerClock
from tasks.commands.exits import Exit


#: Seconds for MongoDB's first answer; the driver would look for it for 30.
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Connection:
    """A command's way to the mails."""

    settings: Settings
    mails: Collection[Document]
    now: ServerClock


@contextmanager
def connected() -> Iterator[Connection]:
    """Connect, or leave with one line that says why not; so does what fails later."""
    settings = load_or_exit()
    logs.configure("ERROR", settings.log_format)
    with mongo.connect(settings, role="command", pool_size=8) as client:
        try:
            with pymongo.timeout(_PATIENCE):
                client.admin.command("ping")
            yield Connection(settings, mongo.mail_collection(client, settings), ServerClock(client))
        except PyMongoError as error:
            fail(f"MongoDB: {explain(error)}", Exit.UNAVAILABLE)
        except RedisError as error:
            fail(f"Redis: {explain(error)}", Exit.UNAVAILABLE)
        except KeyboardInterrupt:
            raise SystemExit(Exit.INTERRUPTED) from None


def explain(error: Exception) -> str:
    """Say an error in one line, without what it quotes of documents and of URIs."""
    text = str(error) or type(error).__name__
    if "hint" in text and isinstance(error, OperationFailure):
        return "the indexes are not all there: run python -m tasks setup"
    for detail in (", Timeout:", ", full error:", " dup key:", " (configured timeouts", "Tree: "):
        text = text.partition(detail)[0]
    return logs.escape(logs.redact(" ".join(text.split())))


def fail(text: str, code: Exit) -> NoReturn:
    """Say what is wrong in one line on stderr, and leave."""
    sys.stderr.write(f"{logs.escape(text)}{os.linesep}")
    raise SystemExit(code)

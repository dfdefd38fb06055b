"""FILE|ID: a document from a file, from standard input, or from the mail collection."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import typer
from bson import json_util
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError
from bson.json_util import JSONOptions
from pymongo.errors import PyMongoError

from config import logs, mongo
from config.mongo import Document
from config.settings import Settings
from tasks.gathering import identity


HELP = (
    "A file with the document as JSON (MongoDB's Extended JSON, too), - for standard input,"
    " or the _id of a mail: an ObjectId's hex, else a string or a number."
)
#: It could not be read; typer's own code for wrong arguments, too.
UNREADABLE = 2

_AS_STORED: JSONOptions = JSONOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


@dataclass(frozen=True, slots=True)
class Given:
    """A document, and where it comes from."""

    document: Document
    stored: bool


def is_file(target: str) -> bool:
    """Tell whether it names a file: one that exists, or what can be no `_id`."""
    return target == "-" or Path(target).is_file() or target.endswith(".json")


def from_file(target: str) -> Given:
    """Read it; on failure say so and leave with code 2."""
    try:
        text = sys.stdin.read() if target == "-" else Path(target).read_text(encoding="utf-8")
        document = json_util.loads(text, json_options=_AS_STORED)
    except OSError as error:
        raise _unreadable(f"{target}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _unreadable(f"{target}: is not UTF-8") from None
    except RecursionError:
        raise _unreadable(f"{target}: is nested too deeply") from None
    except (ValueError, TypeError, KeyError, BSONError) as error:
        raise _unreadable(f"{target}: is no JSON, or no Extended JSON: {error}") from None
    if not isinstance(document, dict):
        raise _unreadable(f"{target}: must hold one JSON object")
    return Given(document, stored=False)


def from_collection(target: str, settings: Settings) -> Given:
    """Find it; on failure say so and leave with code 2."""
    forms = identity.forms(target)
    with mongo.connect(settings, role="client") as client:
        mails = mongo.mail_collection(client, settings)
        try:
            found = {each["_id"]: each for each in mails.find({"_id": {"$in": forms}})}
        except PyMongoError as error:
            raise _unreadable(f"MongoDB: {logs.redact(str(error))}") from None
        name = mails.full_name
    if not found:
        raise _unreadable(f"{target}: no such file, and no such _id in {name}")
    return Given(identity.chosen([target], found)[target], stored=True)


def _unreadable(text: str) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(UNREADABLE)

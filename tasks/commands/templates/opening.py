"""The collection of templates, for a command."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator

from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from config import logs, mongo
from config.mongo import CODEC, Document
from config.settings import Settings, load_or_exit
from tasks.gathering.gather import limits
from tasks.mail.templates import Library
from tasks.mail.templates.template import read


@contextlib.contextmanager
def collection() -> Iterator[tuple[Settings, Collection[Document]]]:
    """Give the settings and the collection; what MongoDB refuses ends the command in one line."""
    settings = load_or_exit()
    logs.configure(settings.log_level, settings.log_format)
    if settings.templates_collection is None:
        sys.exit("templates: set TEMPLATES_COLLECTION to the collection that has them")
    with mongo.connect(settings, role="templates") as client:
        try:
            yield (
                settings,
                client[settings.database].get_collection(
                    settings.templates_collection,
                    codec_options=CODEC,
                    read_concern=ReadConcern("majority"),
                ),
            )
        except PyMongoError as error:
            sys.exit(f"templates: MongoDB refused: {logs.redact(str(error))}")


def library(documents: Iterable[Document], settings: Settings) -> Library:
    """Read the documents."""
    return Library([read(each) for each in documents], limits(settings))


def printable(text: str) -> str:
    """Give a text for a terminal: names and errors hold what others wrote."""
    return "".join(c if c.isprintable() or c in "\n\t" else "·" for c in text)

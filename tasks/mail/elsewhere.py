"""Where the content of a part stands, when it does not stand in the document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tasks.mail.schema import Part


_URL = re.compile(r"https?://", re.IGNORECASE)
_DATA = re.compile(r"data:", re.IGNORECASE)


class Place(Enum):
    """The kinds of places; the value is the setting that opens it."""

    FILE = "ATTACHMENT_ROOT"
    WEB = "ATTACHMENT_HOSTS"
    BUCKET = "ATTACHMENT_BUCKET"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The field that says so, and what it says: a path, a URL or the id of a file."""

    place: Place
    field: str
    value: Any


def elsewhere(part: Part) -> Elsewhere | None:
    """Tell where the content is; None: in the document, or there is none."""
    if part.content is not None:
        return None
    for field, given in (("path", part.path), ("href", part.href)):
        if given:
            if _DATA.match(given):
                return None
            web = field == "href" or _URL.match(given)
            return Elsewhere(Place.WEB if web else Place.FILE, field, given)
    return None if part.gridfs is None else Elsewhere(Place.BUCKET, "gridfs", part.gridfs)

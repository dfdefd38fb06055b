"""What MongoDB documents hold and templates do not know → text."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from bson import Decimal128, Int64, ObjectId

from tasks.mail import handlebars
from tasks.mail.problems import kind


def template_data(data: object, *, path: str = "template.data") -> Any:
    """Copy the data of a mail for templates: once, for all of its fields.

    Raises handlebars.TemplateError for a value that has no text, such as binary.
    """
    return handlebars.plain(data, _text, name=path)


def _text(value: object) -> object:
    match value:
        case Int64():
            return int(value)
        case ObjectId() | Decimal128() | uuid.UUID():
            return str(value)
        case datetime():
            return _iso(value)
        case str():  # JavaScript code
            return str(value)
    raise TypeError(f"is {kind(value)}, which has no text")


def _iso(moment: datetime) -> str:
    """Write a time as JavaScript does in JSON. BSON's times are UTC; pymongo leaves that out."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

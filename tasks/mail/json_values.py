"""What a document holds → what JSON knows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bson import Decimal128, ObjectId

from tasks.mail.problems import Problems, kind, path


def read(value: Any, where: tuple[str | int, ...], problems: Problems) -> Any:
    """Convert a value; what JSON has no form for goes into `problems`, under its path.

    Dates and ids become text, as Node's JSON.stringify has them.
    """
    if isinstance(value, Mapping):
        return {key: read(each, (*where, key), problems) for key, each in value.items()}
    if isinstance(value, list):
        return [read(each, (*where, index), problems) for index, each in enumerate(value)]
    try:
        return _scalar(value)
    except ValueError:
        problems.add(path(*where), f"has no form in JSON: it is {kind(value)}")
        return None


def _scalar(value: Any) -> bool | int | float | str | None:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)  # bson.Int64 is one
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, ObjectId | Decimal128 | UUID):
        return str(value)
    raise ValueError

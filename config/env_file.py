"""`.env` in the working directory: settings for whoever does not set the environment itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream


NAME = ".env"


def problems() -> list[str]:
    """One line for each line of `.env` that cannot be read, without its content."""
    path = Path(NAME)
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        return [f"{NAME}: cannot be read: {reason}"]
    return [
        f"{NAME}, line {binding.original.line}: is not NAME=value;"
        " put values with spaces, quotes or # in 'single quotes'"
        for binding in bindings
        if binding.error or (binding.key is not None and binding.value is None)
    ]


def names() -> set[str]:
    """The variables that `.env` gives a value, in upper case."""
    path = Path(NAME)
    if not path.is_file():
        return set()
    with path.open(encoding="utf-8") as stream:
        return {b.key.upper() for b in parse_stream(stream) if b.key is not None and b.value}


def variables() -> dict[str, str]:
    """Read all that have a value, in upper case; the environment wins over `.env`."""
    stored = dotenv_values(NAME, encoding="utf-8") if Path(NAME).is_file() else {}
    both = {**_upper(stored), **_upper(os.environ)}
    return {name: value for name, value in both.items() if value}


def _upper(found: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name.upper(): value for name, value in found.items() if value}


def names_set() -> set[str]:
    """The variables that have a value, in the environment or in `.env`, in upper case."""
    return names() | {name.upper() for name, value in os.environ.items() if value}


def source(variable: str) -> str:
    """Where the value of a variable comes from: environment, .env or default."""
    if any(name.upper() == variable and value for name, value in os.environ.items()):
        return "environment"
    return NAME if variable in names() else "default"

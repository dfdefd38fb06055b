"""Words for a person: what documents hold is other people's, and must not steer a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def clean(text: str) -> str:
    """Replace what moves the cursor, changes colours or turns the direction of writing."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else "·"
        for character in text.replace("\r\n", "\n")
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str]) -> None:
    """Print a table; each row has a style."""
    shown = Table(*columns, box=None, header_style="bold")
    for row, style in zip(rows, styles, strict=True):
        shown.add_row(*(Text(clean(cell)) for cell in row), style=style)
    Console(highlight=False).print(shown)


def is_person() -> bool:
    """Tell whether somebody reads the output as it comes."""
    return sys.stdout.isatty()


def print_json(report: Any) -> None:
    """Print one JSON object, for programs."""
    json.dump(report, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")

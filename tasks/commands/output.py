"""What commands print: tables at a terminal, tab-separated lines in a pipe, JSON when asked.

Whatever comes out of documents may hold what a terminal would obey: it is shown, not obeyed.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.logs import escape
from tasks.delivery.states import State
from tasks.operating import records
from tasks.operating.filters import NEW
from tasks.operating.mails import Mail


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

STYLES = {
    NEW: "dim",
    State.PENDING.value: "yellow",
    State.PROCESSING.value: "cyan",
    State.SUCCESS.value: "green",
    State.ERROR.value: "bold red",
    State.RETRY.value: "magenta",
}
#: Control characters of the second kind (C1), which JSON leaves as they are and terminals obey.
_C1 = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHORT = 60


def console() -> Console:
    """Give stdout: colours at a terminal only, none with NO_COLOR."""
    return Console(highlight=False, markup=False, soft_wrap=True)


def errors() -> Console:
    """Give stderr, for what is said beside the result."""
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print one JSON value on a line of its own."""
    text = json.dumps(value, ensure_ascii=False)
    print_line(_C1.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def print_line(text: str) -> None:
    """Print a line as it is: rich would make blanks of tabs."""
    safe = text.encode("utf-8", "backslashreplace").decode()
    sys.stdout.write(f"{safe}{os.linesep}")
    sys.stdout.flush()


def print_rows(
    columns: Sequence[str], rows: Iterable[Sequence[Text]], *, goes_on: bool = False
) -> None:
    """Print a table; in a pipe lines with tabs between, names first. `goes_on`: without them."""
    out = console()
    if not out.is_terminal:
        if not goes_on:
            print_line("\t".join(columns))
        for row in rows:
            print_line("\t".join(each.plain for each in row))
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False, show_header=not goes_on)
    for row in rows:
        table.add_row(*row)
    out.print(table)


def text(value: object, *, longest: int | None = None, style: str = "") -> Text:
    """Make a cell of a value; None is empty."""
    shown = "" if value is None else escape(str(value))
    if longest is not None and len(shown) > longest:
        shown = f"{shown[: longest - 1]}…"
    return Text(shown, style=style)


def state(name: str) -> Text:
    """Make a cell of a state, in its colour."""
    return text(name, style=STYLES.get(name, ""))


def moment(time: datetime | None) -> Text:
    """Make a cell of a time, in UTC; in a pipe as in JSON."""
    if time is None:
        return Text()
    at_terminal = console().is_terminal
    return text(f"{time:%Y-%m-%d %H:%M:%S}" if at_terminal else records.moment(time))


def people(mail: Mail) -> str:
    """Name the first recipient, and how many more."""
    more = len(mail.recipients) - 1 + mail.uids
    if not mail.recipients:
        return f"{mail.uids} users" if mail.uids else ""
    return f"{mail.recipients[0]} and {more} more" if more > 0 else mail.recipients[0]


def row(mail: Mail) -> list[Text]:
    """Make a mail's line of a list."""
    longest = _SHORT if console().is_terminal else None
    return [
        text(mail.name),
        state(mail.state),
        moment(mail.start),
        text(mail.attempts),
        text(people(mail), longest=longest),
        text(mail.subject or mail.template, longest=longest),
        text(mail.error or mail.waits_for, longest=longest),
    ]


COLUMNS = ("id", "state", "startTime", "attempts", "recipients", "subject", "error")

"""Options that say which mails are meant, the same for every command."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pymongo.collection import Collection

from config.mongo import Document
from tasks.commands.connection import fail
from tasks.commands.exits import Exit
from tasks.operating import ids, mails
from tasks.operating.filters import STATES, BadFilter, Filter


StateOption = Annotated[
    str | None,
    typer.Option("--state", help=f"One or several with commas between: {', '.join(STATES)}."),
]
RecipientOption = Annotated[str | None, typer.Option("--recipient", help="A part of an address.")]
TemplateOption = Annotated[str | None, typer.Option("--template", help="A template's name.")]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", help="Seen by the watcher since then: 1h, 30d, 2026-03-01T12:00."),
]
UntilOption = Annotated[str | None, typer.Option("--until", help="Seen before then.")]
TextOption = Annotated[str | None, typer.Option("--text", help="A part of the subject.")]
TransportOption = Annotated[str | None, typer.Option("--transport", help="A transport's name.")]
PriorityOption = Annotated[str | None, typer.Option("--priority", help="high, normal or low.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AllOption = Annotated[bool, typer.Option("--all", help="All that there are.")]
IdsArgument = Annotated[list[str] | None, typer.Argument(help="Ids of mails.", show_default=False)]

#: The option that each field of a filter is read from.
_OPTIONS = {"inDoubt": "--in-doubt"}


def chosen(now: datetime, **values: str | None) -> Filter:
    """Read a filter, or leave with one line for each problem."""
    try:
        return Filter.parse(values, now)
    except BadFilter as error:
        lines = [f"{_OPTIONS.get(n, f'--{n}')}: {text}" for n, text in error.problems.items()]
        fail("; ".join(lines), Exit.USAGE)


def checked(**values: str | None) -> dict[str, str | None]:
    """Leave with what is wrong before any server is asked; gives the values for `chosen`."""
    chosen(datetime.now(UTC), **values)
    return values


def one(collection: Collection[Document], text: str) -> Any:
    """Find the id that is meant, or leave and say what there is."""
    found = mails.named(collection, text)
    if not found:
        fail(
            f"{text}: there is no such mail. `list` shows the ids of those there are",
            Exit.NOT_FOUND,
        )
    if len(found) > 1:
        names = " or ".join(f"'{ids.write(each)}'" for each in found)
        fail(f"{text}: there are several, name one of them: {names}", Exit.USAGE)
    return found[0]


def every(collection: Collection[Document], texts: list[str]) -> list[Any]:
    """Find the ids that are meant, or leave before anything is done."""
    return [one(collection, text) for text in texts]

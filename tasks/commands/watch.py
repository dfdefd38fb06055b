"""`python -m tasks watch`: what happens to mails, as it happens."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Annotated

import typer
from pymongo.collection import Collection
from rich.console import Console
from rich.live import Live
from rich.table import Table

from config.mongo import Document
from tasks.commands import output
from tasks.commands.connection import connected
from tasks.commands.status import span
from tasks.operating import following, ids, records
from tasks.operating.following import Change


#: Changes that the table shows.
_ROWS = 20
_SECONDS_BETWEEN_PICTURES = 0.25


def watch(
    *,
    for_: Annotated[str | None, typer.Option("--for", help="End after so long: 30s, 5m.")] = None,
    as_json: output.Json = False,
) -> None:
    """Show each mail's states as they change: a table at a terminal, a line for each in a pipe.

    Ends with Ctrl-C.
    """
    seconds = None if for_ is None else span(for_, "--for")
    with connected() as to:
        deadline = None if seconds is None else time.monotonic() + seconds
        changes = _changes(to.mails, deadline)
        console = output.console()
        if console.is_terminal and not as_json:
            _draw(console, changes)
            return
        for change in changes:
            if change is not None:
                _print(change, as_json=as_json)


def _changes(mails: Collection[Document], deadline: float | None) -> Iterator[Change | None]:
    """Give the changes; None now and then when there are none."""
    with following.watch(mails) as stream:
        while deadline is None or time.monotonic() < deadline:
            event = stream.try_next()
            yield None if event is None else following.read(event)


def _print(change: Change, *, as_json: bool) -> None:
    id, at = ids.write(change.id), records.moment(change.at)
    if as_json:
        output.print_json({"id": id, "state": change.state, "at": at, "error": change.error})
    else:
        cells = [output.text(each).plain for each in (at, id, change.state, change.error)]
        output.print_line("\t".join(cells))


def _draw(console: Console, changes: Iterator[Change | None]) -> None:
    rows: deque[Change] = deque(maxlen=_ROWS)
    seen: Counter[str] = Counter()
    drawn = 0.0
    with Live(console=console, auto_refresh=False) as live:
        live.update(_table(rows, seen), refresh=True)
        for change in changes:
            if change is not None:
                rows.append(change)
                seen[change.state] += 1
            if time.monotonic() - drawn > _SECONDS_BETWEEN_PICTURES:
                live.update(_table(rows, seen), refresh=True)
                drawn = time.monotonic()
        live.update(_table(rows, seen), refresh=True)


def _table(rows: deque[Change], seen: Counter[str]) -> Table:
    title = ", ".join(f"{state} {number:,}" for state, number in seen.most_common())
    table = Table(
        "time", "id", "state", "error", box=None, title=title or "Nothing yet", title_style="bold"
    )
    for change in rows:
        table.add_row(
            output.text(f"{change.at:%H:%M:%S}"),
            output.text(ids.write(change.id)),
            output.state(change.state),
            output.text(change.error, longest=80),
        )
    return table

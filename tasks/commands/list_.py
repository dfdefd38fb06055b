"""`python -m tasks list`: mails, newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from tasks.commands import choosing, output
from tasks.commands.connection import connected, fail
from tasks.commands.exits import Exit
from tasks.operating import records, search
from tasks.operating.filters import NEW, Filter
from tasks.operating.pages import Page
from tasks.operating.positions import Cursor


def list_(  # noqa: PLR0913 - the options are the command
    *,
    state: choosing.StateOption = None,
    recipient: choosing.RecipientOption = None,
    template: choosing.TemplateOption = None,
    since: choosing.SinceOption = None,
    until: choosing.UntilOption = None,
    text: choosing.TextOption = None,
    transport: choosing.TransportOption = None,
    priority: choosing.PriorityOption = None,
    in_doubt: Annotated[
        bool, typer.Option("--in-doubt", help="Failed mails that somebody may have got.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=search.LARGEST_PAGE, help="Mails in a page.")
    ] = 50,
    after: Annotated[str | None, typer.Option(help="Go on where a page ended.")] = None,
    all_pages: Annotated[
        bool, typer.Option("--all", help="All pages, one after the other.")
    ] = False,
    as_json: output.Json = False,
) -> None:
    """List mails, newest first.

    A search for what no index knows stops after some seconds, says how far it came, and how to
    go on.
    """
    values = choosing.checked(
        state=state,
        recipient=recipient,
        template=template,
        since=since,
        until=until,
        text=text,
        transport=transport,
        priority=priority,
        inDoubt="yes" if in_doubt else None,
    )
    place = _place(after)
    with connected() as to:
        wanted = choosing.chosen(to.now(), **values)
        goes_on = False
        while True:
            page = search.find(to.mails, wanted, after=place, limit=limit)
            _print(page, as_json=as_json, goes_on=goes_on)
            goes_on = True
            place = page.after
            if place is None or not all_pages:
                break
        _say_what_is_left(page)
        if wanted.is_empty and not as_json and after is None:
            _say_what_is_not_listed(search.count(to.mails, Filter(states=(NEW,))))


def _place(after: str | None) -> Cursor | None:
    try:
        return None if after is None else Cursor.parse(after)
    except ValueError as error:
        fail(f"--after: {error}", Exit.USAGE)


def _print(page: Page, *, as_json: bool, goes_on: bool) -> None:
    if as_json:
        for mail in page.mails:
            output.print_json(records.of_mail(mail))
    else:
        output.print_rows(output.COLUMNS, map(output.row, page.mails), goes_on=goes_on)


def _say_what_is_left(page: Page) -> None:
    if page.after is None:
        return
    back_to = page.searched_back_to
    came = f"The time was up; searched back to {records.moment(back_to)}. " if back_to else ""
    if page.is_cut_short and back_to is None:
        came = "The time was up before all was searched. "
    output.errors().print(f"{came}There is more: --after {page.after}")


def _say_what_is_not_listed(new: search.Count) -> None:
    if new.number:
        output.errors().print(f"{new} not yet seen by the watcher, not listed: --state {NEW}")

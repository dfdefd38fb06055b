"""`python -m tasks purge`: finished mails are removed."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from tasks.commands import asking, choosing, output
from tasks.commands.connection import connected, fail
from tasks.commands.exits import Exit
from tasks.operating import changes, records, times


def purge(
    *,
    older_than: Annotated[str, typer.Option(help="How long ago they ended: 30d. At least 24h.")],
    yes: choosing.YesOption = False,
    as_json: output.Json = False,
) -> None:
    """Remove mails that ended (SUCCESS or ERROR) longer ago. There is no way back.

    What waits, is in work, or has a state of your own stays.
    """
    age = _age(older_than)
    with connected() as to:
        now = to.now()
        before = now - age
        count = changes.purgeable(to.mails, before)
        if count.number:
            question = f"Remove {count} mails that ended before {records.moment(before)}?"
            asking.confirm(question, yes=yes)
        total = count.number if count.is_exact else None
        with asking.bar("purge", total) as progress:
            done = changes.purge(to.mails, before, now, progress=progress)
        if as_json:
            output.print_json({"removed": done.changed, "endedBefore": records.moment(before)})
        else:
            output.console().print(f"purge: {done.changed:,} mails removed")


def _age(text: str) -> timedelta:
    try:
        age = times.span(text)
    except ValueError as error:
        fail(f"--older-than: {error}", Exit.USAGE)
    if age < changes.LEAST_AGE:
        hours = changes.LEAST_AGE // timedelta(hours=1)
        fail(f"--older-than: at least {hours}h: so long an idempotencyKey is kept", Exit.USAGE)
    if age > timedelta(days=36_500):
        fail("--older-than: at most 36500d", Exit.USAGE)
    return age

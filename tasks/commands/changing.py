"""What retry, resend and cancel have in common: which mails, how many, whether, and how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import typer

from tasks.commands import asking, choosing, output
from tasks.commands.connection import Connection, connected, fail
from tasks.commands.exits import Exit
from tasks.operating import changes, ids, mails, search
from tasks.operating.changes import Changed, Kind, Progress
from tasks.operating.filters import Filter


#: Mails that were not changed and are named.
_NAMED = 10
_WISHES = {Kind.RETRY: "Send again", Kind.RESEND: "Send once more", Kind.CANCEL: "Cancel"}
_REASONS = {
    Kind.RETRY: "ERROR and CANCELLED are sent again; in doubt only with --in-doubt",
    Kind.RESEND: "SUCCESS is sent once more",
    Kind.CANCEL: "what waits is cancelled",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """How a command was called. `values`: the filter's, by name."""

    kind: Kind
    ids: list[str]
    values: dict[str, str | None]
    all_mails: bool
    yes: bool
    as_json: bool
    in_doubt: bool = False


def run(ask: Ask) -> None:
    """Do it; leaves with FAILED when a mail that was named could not be changed."""
    by_filter = any(value is not None for value in ask.values.values()) or ask.all_mails
    if bool(ask.ids) == by_filter:
        fail("say which mails: ids, or a filter (--state, --since …), or --all", Exit.USAGE)
    choosing.checked(**ask.values)
    with connected() as to:
        if by_filter:
            _run_filter(to, ask)
        else:
            _run_ids(to, ask)


def _run_ids(to: Connection, ask: Ask) -> None:
    chosen = choosing.every(to.mails, ask.ids)
    if len(chosen) > 1:
        asking.confirm(f"{_WISHES[ask.kind]} {len(chosen):,} mails?", yes=ask.yes)
    done = _change(to, ask)(chosen, None)
    _print(ask, done, left_out=0)
    if done.changed < len(chosen):
        _explain(to, ask, chosen)
        raise typer.Exit(Exit.FAILED)


def _run_filter(to: Connection, ask: Ask) -> None:
    asked = choosing.chosen(to.now(), **ask.values)
    wanted = changes.narrowed(asked, ask.kind)
    if wanted is None:
        fail(f"--state: {ask.values['state']} does not do here: {_REASONS[ask.kind]}", Exit.USAGE)
    left_out = 0
    if ask.kind is Kind.RETRY and not ask.in_doubt:
        left_out = search.count(to.mails, replace(wanted, in_doubt=True)).number
        wanted = replace(wanted, in_doubt=False)
    count = search.count(to.mails, wanted)
    remark = f" ({left_out:,} in doubt are left out: --in-doubt)" if left_out else ""
    if count.number or not count.is_exact:
        states = ", ".join(wanted.states)
        asking.confirm(f"{_WISHES[ask.kind]} {count} mails in {states}{remark}?", yes=ask.yes)
    total = count.number if count.is_exact else None
    with asking.bar(ask.kind.value, total) as progress:
        done = _change(to, ask)(wanted, progress)
    _print(ask, done, left_out)


def _change(to: Connection, ask: Ask) -> Callable[[list[Any] | Filter, Progress | None], Changed]:
    if ask.kind is Kind.RETRY:
        return lambda which, progress: changes.retry(
            to.mails, which, in_doubt=ask.in_doubt, progress=progress
        )
    change = changes.resend if ask.kind is Kind.RESEND else changes.cancel
    return lambda which, progress: change(to.mails, which, progress=progress)


def _print(ask: Ask, done: Changed, left_out: int) -> None:
    if ask.as_json:
        output.print_json(
            {"changed": done.changed, "lookedAt": done.looked_at, "inDoubtLeftOut": left_out}
        )
        return
    remark = f"; {left_out:,} in doubt were left out (--in-doubt)" if left_out else ""
    output.console().print(f"{ask.kind}: {done.changed:,} of {done.looked_at:,} mails{remark}")


def _explain(to: Connection, ask: Ask, chosen: list[Any]) -> None:
    """Say of those that were named why they were not changed."""
    wanted = {Kind.RETRY: "RETRY", Kind.RESEND: "RETRY", Kind.CANCEL: "CANCELLED"}[ask.kind]
    said = 0
    for id in chosen:
        mail = mails.get(to.mails, id)
        if mail is None or mail.state == wanted or said == _NAMED:
            continue
        doubt = ", in doubt" if mail.in_doubt else ""
        output.errors().print(output.text(f"{ids.write(id)} is {mail.state}{doubt}"))
        said += 1
    reason = _REASONS[ask.kind]
    output.errors().print(
        f"{reason[0].upper()}{reason[1:]}. Whatever has gone on meanwhile is left alone."
    )

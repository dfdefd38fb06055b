"""`python -m tasks status`: one mail's whole story."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

import typer
from rich.text import Text

from tasks.commands import choosing, output
from tasks.commands.connection import connected, fail
from tasks.commands.exits import Exit
from tasks.delivery.states import State
from tasks.operating import following, mails, records, times
from tasks.operating.mails import Mail


TimeoutOption = Annotated[
    str, typer.Option("--timeout", help="Give up waiting after so long: 90s, 5m.")
]


def status(
    id: Annotated[str, typer.Argument(help="The mail's _id.")],
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until it is settled.")] = False,
    timeout: TimeoutOption = "10m",
    as_json: output.Json = False,
) -> None:
    """Show what became of a mail, recipient by recipient.

    Exit code: 0 SUCCESS, 1 ERROR, 5 ERROR in doubt, 4 not settled or held back, 3 no such mail.
    """
    patience = span(timeout)
    with connected() as to:
        found = choosing.one(to.mails, id)
        mail = mails.get(to.mails, found)
        if follow:
            mail = show_until_settled(
                following.until_settled(to.mails, found, time.monotonic() + patience),
                as_json=as_json,
            )
        if mail is None:
            fail(f"{id}: the mail is gone", Exit.NOT_FOUND)
        if not (follow and as_json):
            show(mail, as_json=as_json)
    raise typer.Exit(outcome(mail))


def span(text: str, option: str = "--timeout") -> float:
    """Read an option that is a length of time, in seconds."""
    try:
        return times.span(text) / timedelta(seconds=1)
    except ValueError as error:
        fail(f"{option}: {error}", Exit.USAGE)


def show_until_settled(changes: Iterable[Mail | None], *, as_json: bool) -> Mail | None:
    """Print each state as it comes; give the last."""
    mail: Mail | None = None
    for mail in changes:
        if mail is None:
            return None
        if as_json:
            output.print_json(records.of_mail(mail))
            continue
        line = Text.assemble(output.state(mail.state), f"  attempts {mail.attempts or 0}")
        if mail.waits_for:
            line.append_text(output.text(f"  waits for {mail.waits_for}"))
        output.console().print(line)
    return mail


def show(mail: Mail, *, as_json: bool) -> None:
    """Print the whole story."""
    if as_json:
        output.print_json(records.of_mail(mail))
        return
    out = output.console()
    for name, value in _story(mail):
        if value.plain:
            out.print(Text.assemble((f"{name:<16} ", "dim"), value))
    if mail.answers:
        output.print_rows(
            ("recipient", "outcome", "code", "response"),
            (
                [output.text(x) for x in (each.recipient, each.outcome, each.code, each.response)]
                for each in mail.answers
            ),
        )


def outcome(mail: Mail) -> Exit:
    """Say by an exit code what became of a mail."""
    if mail.state == State.SUCCESS:
        return Exit.DONE
    if mail.state == State.ERROR:
        return Exit.IN_DOUBT if mail.in_doubt else Exit.FAILED
    return Exit.UNSETTLED


def _story(mail: Mail) -> list[tuple[str, Text]]:
    text = output.text
    doubt = "somebody may have got it: see docs/delivery.md before a retry" if mail.in_doubt else ""
    worker = f"{mail.worker}, {mail.phase}" if mail.phase else mail.worker
    took = f"{mail.seconds:.3f} s" if mail.seconds is not None else None
    return [
        ("id", text(mail.name)),
        ("state", output.state(mail.state)),
        ("error", text(mail.error, style="red")),
        ("in doubt", text(doubt, style="bold red")),
        ("waits for", text(mail.waits_for)),
        ("subject", text(mail.subject)),
        ("template", text(mail.template)),
        ("recipients", text(output.people(mail))),
        ("priority", text(mail.priority)),
        ("transport", text(mail.transport)),
        ("attempts", text(mail.attempts)),
        ("started", output.moment(mail.start)),
        ("ended", output.moment(mail.end)),
        ("took", text(took)),
        ("next attempt", output.moment(mail.next_attempt)),
        ("lease until", output.moment(mail.lease_until)),
        ("worker", text(worker)),
        ("message id", text(mail.message_id)),
        ("response", text(mail.response)),
    ]

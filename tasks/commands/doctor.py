"""`python -m tasks doctor`: whether everything that mails need is there and well."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from config import logs
from config.checks import Level
from config.settings import load_or_exit
from tasks.commands import output
from tasks.commands.exits import Exit
from tasks.doctor import Door, run


_STYLES = {
    Level.OK: "green",
    Level.UNKNOWN: "dim",
    Level.WARNING: "yellow",
    Level.FAILED: "bold red",
}


def doctor(
    *,
    dns: Annotated[bool, typer.Option(help="Look up the sender's domain.")] = True,
    dkim_selector: Annotated[
        list[str] | None, typer.Option(help="The name of a DKIM key; several times.")
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Check MongoDB, Redis, watcher, workers, SMTP server, clocks and DNS; nothing is sent.

    Exit code: 0 all is well, or could be better (!); 1 mails do not go out (✗).
    """
    settings = load_or_exit()
    logs.configure("CRITICAL", settings.log_format)
    # Only now: Celery's settings are read when it is imported, and would say the same lines twice.
    from tasks import enqueue  # noqa: PLC0415

    door = Door(enqueue.waiting, enqueue.workers, enqueue.BROKER_ERRORS)
    findings = run(settings, door, with_dns=dns, selectors=dkim_selector or [])
    if as_json:
        output.print_json(
            [dataclasses.asdict(each) | {"level": each.level.name.lower()} for each in findings]
        )
    else:
        for each in findings:
            output.console().print(output.text(each, style=_STYLES[each.level]))
    failed = any(each.level is Level.FAILED for each in findings)
    raise typer.Exit(Exit.FAILED if failed else Exit.DONE)

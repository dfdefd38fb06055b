"""`python -m tasks stats`: how many mails are in each state, and the last hour."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.text import Text

from tasks.commands import output
from tasks.commands.connection import connected
from tasks.operating import counts, records, throughput
from tasks.operating.counts import Counts
from tasks.operating.throughput import Minute


_BARS = " ▁▂▃▄▅▆▇█"


def stats(*, as_json: output.Json = False) -> None:
    """Count mails by state, and show what went out in the last hour."""
    with connected() as to:
        found = counts.by_state(to.mails)
        minutes = throughput.last_hour(to.mails, to.now())
        if as_json:
            output.print_json(_record(found, minutes))
        else:
            _print(found, minutes)


def _print(found: Counts, minutes: list[Minute | None]) -> None:
    out = output.console()
    for name, number in found.states.items():
        out.print(Text.assemble(output.state(f"{name:<12}"), f"{number:>12,}"))
    out.print(f"{'SUCCESS …':<12}{found.other:>12,}  (and states of your own; estimated)")
    out.print(f"{'all':<12}{found.total:>12,}  (estimated)")
    read = [each for each in minutes if each is not None]
    sent, failed = sum(each.sent for each in read), sum(each.failed for each in read)
    out.print(f"Last hour: {sent:,} sent, {failed:,} failed{_unread(len(minutes) - len(read))}")
    if sent:
        out.print(_sparks(minutes))
        last = next(each for each in reversed(read) if each.sent)
        out.print(
            f"{last.start:%H:%M} UTC: {last.sent:,} sent; from seen to sent:"
            f" p50 {_seconds(last.p50)}, p95 {_seconds(last.p95)}, p99 {_seconds(last.p99)}"
        )


def _unread(minutes: int) -> str:
    return f" (there was no time to read {minutes} of the minutes)" if minutes else ""


def _sparks(minutes: list[Minute | None]) -> str:
    most = max(each.sent for each in minutes if each is not None) or 1
    steps = len(_BARS) - 1
    return "".join("?" if m is None else _BARS[-(-m.sent * steps // most)] for m in minutes)


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g} s"


def _record(found: Counts, minutes: list[Minute | None]) -> dict[str, Any]:
    return {
        "states": found.states,
        "other": found.other,
        "total": found.total,
        "minutes": [
            None if each is None else asdict(each) | {"start": records.moment(each.start)}
            for each in minutes
        ],
    }

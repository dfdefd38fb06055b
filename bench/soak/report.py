"""The figures as tables."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from bench.soak import figures
from bench.soak.queries import Explained
from bench.soak.run import Outcome


#: Queries in the table; outcome.json has them all.
_SHOWN = 12


def show(outcome: Outcome, broken: Sequence[str], console: Console) -> None:
    """Print everything, the broken promises last."""
    console.print(_course(outcome))
    console.print(_memory(outcome))
    costs = _costs(outcome)
    console.print(costs if costs.row_count else "CPU a mail: the run was too short for it")
    console.print(_queries(outcome.explained))
    for line in broken:
        console.print(f"BROKEN: {line}", style="bold red", markup=False)
    if not broken:
        console.print("Every promise held.", style="bold green")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column(columns[0])
    for column in columns[1:]:
        table.add_column(column, justify="left" if column == "" else "right", no_wrap=True)
    return table


def _course(outcome: Outcome) -> Table:
    table = Table(title="\nThe run", title_justify="left", box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, text in _lines(outcome):
        table.add_row(name, text)
    return table


def _lines(outcome: Outcome) -> Iterator[tuple[str, str]]:
    if outcome.insert_seconds:
        rate = outcome.mails / outcome.insert_seconds
        yield "inserted", f"{outcome.mails:,} in {outcome.insert_seconds:.0f} s, {rate:,.0f}/s"
    if outcome.pending_seconds is not None:
        yield "all PENDING", f"{outcome.pending_seconds:.1f} s after the last insert"
    if outcome.send_seconds:
        rate = outcome.mails / outcome.send_seconds
        yield "sent", f"in {outcome.send_seconds:.0f} s, {rate:,.0f} mails/s"
    rates = figures.rates(outcome.samples)
    if rates:
        yield "mails/s", f"{figures.sparkline(rates)} {min(rates):,.0f} to {max(rates):,.0f}"
    if len(outcome.samples) > 1:
        cores = figures.others(outcome.samples)
        yield "other work", f"{cores:.1f} of {os.cpu_count()} processors, this command included"
    yield "watcher killed", ", ".join(f"next led after {each:.1f} s" for each in outcome.takeovers)
    yield from _urgent(outcome)
    longest = figures.longest_queues(outcome.samples)
    yield "longest queues, ids", ", ".join(f"{lane} {most:,}" for lane, most in longest.items())
    used = max((sample.broker_bytes for sample in outcome.samples), default=0)
    yield "broker's memory", f"{used / 1e6:.1f} MB at most"
    books = outcome.books
    if books is not None:
        yield "books", f"{books.states}; {books.taken:,} mails at the SMTP server"
        yield "ids in vain", f"{books.not_claimed:,}"
        if books.warnings:
            yield "warnings", f"{books.warnings}"


def _urgent(outcome: Outcome) -> Iterator[tuple[str, str]]:
    for leaderless, title in ((False, "high priority"), (True, "… with no leader")):
        probes = [each for each in outcome.probes if each.leaderless is leaderless]
        for what, taken in (
            ("enqueued", sorted(each.enqueued for each in probes if each.enqueued is not None)),
            ("SUCCESS", sorted(each.seconds for each in probes)),
        ):
            if taken:
                p50, p95 = statistics.median(taken), taken[int(len(taken) * 0.95)]
                text = f"insert → {what}: p50 {p50:.2f}, p95 {p95:.2f}, longest {taken[-1]:.2f} s"
                yield title, f"{text} ({len(taken)} mails)"


def _memory(outcome: Outcome) -> Table:
    table = _table("\nMemory, MB", "process", "start", "longest", "end", "")
    for name, memory in figures.memories(outcome.samples).items():
        values = (memory.start, memory.longest, memory.end)
        course = figures.sparkline(memory.course)
        table.add_row(name, *(f"{value / 1e6:.0f}" for value in values), course)
    return table


def _costs(outcome: Outcome) -> Table:
    table = _table("\nCPU µs a mail", "process", "early tenth", "late tenth", "ratio")
    for role, (early, late) in figures.costs(outcome.samples).items():
        ratio = f"{late / early:.2f}" if early else ""
        table.add_row(role, f"{early:.0f}", f"{late:.0f}", ratio)
    return table


def _queries(explained: Sequence[Explained]) -> Table:
    """The slowest of them; keys and documents are the most of all times it was explained."""
    whens = list(dict.fromkeys(each.when for each in explained))
    by_name: dict[str, list[Explained]] = {}
    for each in explained:
        by_name.setdefault(each.name, []).append(each)
    slowest = sorted(by_name, key=lambda name: -max(row.milliseconds for row in by_name[name]))
    title = f"\nThe {_SHOWN} slowest of {len(by_name)} queries of the sweep"
    table = _table(title, "query", "keys", "documents", *(f"ms, {when}" for when in whens))
    for name in slowest[:_SHOWN]:
        rows = by_name[name]
        times = {each.when: f"{each.milliseconds}" for each in rows}
        most = (max(row.keys for row in rows), max(row.documents for row in rows))
        table.add_row(name, *map(str, most), *(times.get(when, "") for when in whens))
    return table

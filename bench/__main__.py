"""Mailtrigger beside its peers, on one machine, on the same work: `make bench`.

Each contender gets real servers of its own, a backlog to drain, the same with a slow SMTP server,
mails one at a time, and a kill -9 in the middle. What cannot be installed is named, not left out.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bench import picture, table, targets, works
from bench.contenders import CONTENDERS
from bench.contenders.base import Contender, NotRun
from bench.stack import ROOT, stack
from bench.table import Row


_RESULTS = ROOT / "bench" / "results"
_WORKS = ("fast", "slow", "latency", "crash")
_CRASH_MAILS, _KILL_AT = 200, 60


def main(  # noqa: PLR0913, PLR0917 - the options of the command
    only: Annotated[str, typer.Option(help=f"of {','.join(CONTENDERS)}")] = "",
    work: Annotated[str, typer.Option(help="which works")] = ",".join(_WORKS),
    mails: Annotated[int, typer.Option(help="in the backlog")] = 5000,
    slow_mails: Annotated[int, typer.Option(help="for the slow server")] = 500,
    delay_ms: Annotated[int, typer.Option(help="before every reply of the slow server")] = 20,
    latency_mails: Annotated[int, typer.Option(help="one at a time")] = 100,
    rounds: Annotated[int, typer.Option(help="in turn, so that noise meets all")] = 3,
    out: Annotated[Path, typer.Option(help="files to write, without suffix")] = _RESULTS / "bench",
) -> None:
    """Measure, print the tables, write JSON, PNG and SVG."""
    names, wanted = _chosen(only, CONTENDERS), _chosen(work, _WORKS)
    rows = {
        name: Row(name, kind.title, kind.guarantees)
        for name, kind in CONTENDERS.items()
        if name in names
    }
    ready = [CONTENDERS[name] for name, row in rows.items() if _installed(row)]
    measures: dict[str, Callable[[Contender], Any]] = {
        "latency": lambda each: works.latency(each, latency_mails),
        "fast": lambda each: works.fast(each, mails),
        "slow": lambda each: works.slow(each, slow_mails, delay_ms),
    }
    measures = {name: measure for name, measure in measures.items() if name in wanted}
    for number in range(rounds if measures else 0):
        for kind in ready:
            _round(kind, rows[kind.name], measures)
            print(f"round {number + 1}: {kind.name} done", flush=True)
    if "crash" in wanted:
        for kind in ready:
            _crash(kind, rows[kind.name], delay_ms)
    _report(list(rows.values()), out)


def _chosen(text: str, known: Any) -> set[str]:
    names = {name for name in text.split(",") if name} or set(known)
    if unknown := names - set(known):
        raise typer.BadParameter(f"unknown: {', '.join(sorted(unknown))}")
    return names


def _installed(row: Row) -> bool:
    try:
        CONTENDERS[row.name].install()
    except NotRun as error:
        row.not_run.append(str(error))
        return False
    return True


def _round(
    kind: type[Contender], row: Row, measures: dict[str, Callable[[Contender], Any]]
) -> None:
    try:
        with stack() as running:
            contender = kind(running)
            contender.prepare()
            for name, measure in measures.items():
                getattr(row, name).append(measure(contender))
    except Exception as error:  # noqa: BLE001 - whatever a peer does, the others are measured
        row.not_run.append(f"{type(error).__name__}: {error}")


def _crash(kind: type[Contender], row: Row, delay_ms: int) -> None:
    try:
        with stack() as running:
            contender = kind(running)
            contender.prepare()
            row.crash = works.crash(contender, _CRASH_MAILS, _KILL_AT, delay_ms)
    except Exception as error:  # noqa: BLE001 - as above
        row.not_run.append(f"kill: {type(error).__name__}: {error}")
    print(f"kill -9: {kind.name} done", flush=True)


def _report(rows: list[Row], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    machine = _machine()
    text = "\n\n".join([table.markdown(rows), "\n".join(targets.lines(rows))])
    out.with_suffix(".md").write_text(f"{machine['caption']}\n\n{text}\n", encoding="utf-8")
    results = {"machine": machine, "rows": [asdict(row) for row in rows]}
    out.with_suffix(".json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(f"\n{machine['caption']}\n\n{text}\n")
    print(f"written: {out}.md, {out}.json")
    if any(row.rate for row in rows):
        _draw(rows, out, machine["caption"])


def _draw(rows: list[Row], out: Path, caption: str) -> None:
    try:
        files = picture.draw(rows, out, caption)
    except ImportError:
        print("no picture: pip install -r requirements-bench.txt")
    else:
        print(f"written: {', '.join(str(file) for file in files)}")


def _machine() -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    load, cores = os.getloadavg()[1], os.cpu_count()
    return {
        "caption": f"{datetime.now(UTC):%F}, {cores} cores, load {load:.1f}, commit {commit}",
        "python": platform.python_version(),
        "system": platform.platform(),
    }


if __name__ == "__main__":
    typer.run(main)

"""`python -m bench.soak --mails N`: exit code 1 when a promise does not hold."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from bench.soak import promises, report
from bench.soak.progress import Progress
from bench.soak.run import Limits, Outcome, Soak
from bench.soak.sinks import Postfix, Recording
from bench.stack import ROOT, Stack, stack
from local import ports
from local.processes import Server


_RESULTS = ROOT / "bench" / "results"
_BATCH_SIZE = 50
#: Mails a second that are the least to be expected of a machine, and seconds for all else.
_SLOWEST, _OTHER_SECONDS = 200, 300.0
#: MB. A watcher that was killed finds its place again while the oplog reaches back to it.
_OPLOG = 4096
_WIDTH = 150


def main(  # noqa: PLR0913, PLR0917 - the options of the command
    mails: Annotated[int, typer.Option(min=1000, help="size of the backlog")] = 400_000,
    workers: Annotated[int, typer.Option(min=1)] = 4,
    minutes: Annotated[float, typer.Option(help="the longest it may take; 0: by the size")] = 0,
    queue_limit: Annotated[int, typer.Option(help="QUEUE_LIMIT; 0: 50,000, less if few")] = 0,
    cache: Annotated[str, typer.Option(help="mongod's WiredTiger cache")] = "1G",
    oplog: Annotated[int, typer.Option(help="MB of oplog, 990 or more")] = _OPLOG,
    out: Annotated[Path | None, typer.Option(help="directory for the report")] = None,
    *,
    recipients: Annotated[bool, typer.Option(help="check each recipient, not only counts")] = False,
    keep: Annotated[bool, typer.Option(help="keep the processes' logs beside the report")] = False,
) -> None:
    """Send a backlog, and see what the processes promise about it."""
    signal.signal(signal.SIGTERM, _leave)
    # Not less than the workers have in hand, or they idle; less than all, or nothing is fed.
    limit = queue_limit or min(50_000, max(5_000, mails // 4))
    seconds = minutes * 60 or _OTHER_SECONDS + mails / _SLOWEST
    out = out or _RESULTS / f"soak-{datetime.now(UTC):%Y%m%d-%H%M%S}-{mails}"
    out.mkdir(parents=True, exist_ok=True)
    settings = {"QUEUE_LIMIT": str(limit), "BATCH_SIZE": str(_BATCH_SIZE)}
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    with _servers(settings, cache, oplog, recipients=recipients) as (running, sink):
        with Progress(console) as progress:
            limits = Limits(seconds, limit, _BATCH_SIZE)
            outcome = Soak(running, sink, progress, limits).run(mails, workers)
        if keep:
            _keep_logs(running, out)
    broken = list(promises.broken(outcome, queue_limit=limit))
    report.show(outcome, broken, console)
    _write(outcome, broken, out)
    console.print(f"Also in {out}", markup=False)
    raise typer.Exit(1 if broken else 0)


@contextmanager
def _servers(
    settings: dict[str, str], cache: str, oplog: int, *, recipients: bool
) -> Iterator[tuple[Stack, Postfix | Recording]]:
    port = ports.free()
    if recipients:
        settings["SMTP_CONNECTION_URI"] = f"smtp://127.0.0.1:{port}"
    with stack(settings=settings, sink=Postfix.OPTIONS) as running:
        mongod = running.mails.database.client.admin
        mongod.command("setParameter", 1, wiredTigerEngineRuntimeConfig=f"cache_size={cache}")
        mongod.command("replSetResizeOplog", 1, size=float(oplog))
        if not recipients:
            yield running, Postfix(running.servers["sink"].log)
            return
        command = [sys.executable, "-m", "bench.soak.recording_sink", str(port)]
        log = running.directory / "recording.log"
        server = Server("recording", command, log, lambda _: ports.accepts(port), directory=ROOT)
        server.start()
        running.exits.callback(server.kill)
        running.servers["recording"] = server
        yield running, Recording(log)


def _keep_logs(running: Stack, out: Path) -> None:
    for log in running.directory.glob("*.log"):
        if log.name != "sink.log":  # a line for each mail
            shutil.copy(log, out)


def _write(outcome: Outcome, broken: list[str], out: Path) -> None:
    with (out / "report.txt").open("w", encoding="utf-8") as text:
        report.show(outcome, broken, Console(file=text, width=_WIDTH))
    everything = {**asdict(outcome), "broken": broken}
    (out / "outcome.json").write_text(json.dumps(everything), encoding="utf-8")


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """End as after Ctrl-C: every process is ended, the directory removed."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    typer.run(main)

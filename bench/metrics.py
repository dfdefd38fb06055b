"""What METRICS_PORT costs, in CPU µs a mail: `python -m bench.metrics --help`."""

from __future__ import annotations

import statistics
from typing import Annotated

import typer

from bench.stack import mail, stack, wait_for


_CHUNK = 1000
#: Mails before the measured ones: connections are made, code is loaded.
_WARM_UP = 1000


def main(
    *,
    mails: Annotated[int, typer.Option(help="Mails in one run.")] = 5000,
    rounds: Annotated[int, typer.Option(help="Runs of each kind, in turns.")] = 3,
    claim: Annotated[str, typer.Option(help="CLAIM: each or bulk.")] = "each",
) -> None:
    """Drain the same backlog with METRICS_PORT unset and set, in turns; print the medians."""
    off: dict[str, str] = {}
    on = {"METRICS_PORT": "0"}
    taken: dict[str, list[dict[str, float]]] = {"off": [], "on": []}
    for number in range(rounds):
        order = [("off", off), ("on", on)]
        for name, settings in order if number % 2 == 0 else reversed(order):
            taken[name].append(_run(mails, {**settings, "CLAIM": claim}))
    for part in ("worker1", "watcher"):
        for name, runs in taken.items():
            each = sorted(run[part] for run in runs)
            shown = ", ".join(f"{value:.0f}" for value in each)
            print(f"{part}, {name}: {statistics.median(each):.0f} µs a mail ({shown})")


def _run(mails: int, settings: dict[str, str]) -> dict[str, float]:
    with stack(settings=settings) as running:
        running.watcher()
        running.worker(1)
        running.mails.insert_many([mail(number) for number in range(_WARM_UP)])
        wait_for(running.mails, _WARM_UP, seconds=120)
        before = running.cpu()
        for _ in range(0, mails, _CHUNK):
            running.mails.insert_many([mail(number) for number in range(_CHUNK)])
        wait_for(running.mails, _WARM_UP + mails, seconds=600)
        after = running.cpu()
    return {part: (after[part] - before[part]) / mails * 1e6 for part in after}


if __name__ == "__main__":
    typer.run(main)

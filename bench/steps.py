"""What each step of ours costs, as a ratio to a bare one: `python -m bench.steps [--record]`.

CPU time of this process (client) and of mongod (server), in turn with a bare call of the same
effect. Fails when a ratio is more than TOLERANCE times the one recorded in bench/steps.json, and
stays so when it is measured again.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.sinks import RecordingSink
from bench.stack import Stack, mail, stack
from bench.stopwatch import BARE, OURS, Stopwatch
from tasks.delivery import indexes


if TYPE_CHECKING:
    from bench.step_sides import Side

TOLERANCE = 1.5
RECORDED = Path(__file__).with_suffix(".json")
#: Rounds before a verdict, and how often as many more are added while something seems grown.
_ROUNDS, _AGAIN = 15, 2
#: The stack's own SMTP sink gets no mail; this one needs no Postfix.
_ANY_DELAY_MS = 1
_MAILS = 100
#: Cheap steps are done for more mails, so that there is something to measure.
_MORE = 5
#: An ended stream takes half a second to close: only every third round has one.
_STREAM_EVERY = 3
#: In their order; True: mongod works, too.
_STEPS = {
    "stream": True,
    "admit": True,
    "publish": False,
    "claim": True,
    "compose": False,
    "begin": True,
    "submit": False,
    "record": True,
}


def main(
    record: Annotated[bool, typer.Option(help="write the ratios down as the new measure")] = False,  # noqa: FBT002 - an option of the command
) -> None:
    """Measure every step, print the ratios, fail when one has grown."""
    started = time.monotonic()
    recorded = {} if record else _recorded()
    with _bench() as (running, watch, sides):
        for _ in range(1 + _AGAIN):
            for number in range(_ROUNDS):
                _round(running, watch, sides[:: 1 if number % 2 else -1], number)
            if not record and not _grown(watch, recorded):
                break
    if record:
        recorded = {name: round(ratio, 2) for name, ratio in watch.ratios().items()}
        RECORDED.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
    _print(watch, recorded)
    print(f"{time.monotonic() - started:.0f} s")
    if unknown := set(watch.ratios()) ^ set(recorded):
        sys.exit(f"steps: not both measured and recorded: {', '.join(sorted(unknown))}")
    if grown := _grown(watch, recorded):
        sys.exit(f"steps: more than {TOLERANCE} × what is recorded: {'; '.join(grown)}")


def _recorded() -> dict[str, float]:
    recorded: dict[str, float] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return recorded


def _grown(watch: Stopwatch, recorded: dict[str, float]) -> list[str]:
    ratios = watch.ratios().items()
    return [name for name, ratio in ratios if ratio > recorded.get(name, ratio) * TOLERANCE]


@contextmanager
def _bench() -> Iterator[tuple[Stack, Stopwatch, list[Side]]]:
    with stack(delay_ms=_ANY_DELAY_MS) as running:
        RecordingSink(running, delay_ms=0)
        os.environ.update(running.environment)
        # Only now: the Celery application reads its settings when it is imported.
        from bench.step_sides import Bare, Ours  # noqa: PLC0415
        from config.settings import load  # noqa: PLC0415

        indexes.ensure(running.mails)
        with Ours(load()) as ours, Bare(load()) as bare:
            yield running, Stopwatch(running.servers["mongod"].pid), [ours, bare]


def _round(running: Stack, watch: Stopwatch, sides: list[Side], number: int) -> None:
    streaming = number % _STREAM_EVERY == 0
    start = running.mails.database.command("ping")["operationTime"]
    for side in sides:
        mails = [mail(each) for each in range(_MAILS * (_MORE if streaming else 1))]
        side.take(running.mails.insert_many(mails).inserted_ids, _MAILS, start, _MORE)
    for step, server in _STEPS.items():
        if step == "stream" and not streaming:
            continue
        mails_of_it = _MAILS * (_MORE if step in {"stream", "publish"} else 1)
        for side in sides:
            with watch.time(step, side.name, mails_of_it, server=server):
                getattr(side, step)()
    for side in sides:
        side.finish()


def _print(watch: Stopwatch, recorded: dict[str, float]) -> None:
    print(f"{'CPU µs a mail':22}{'ours':>8}{'bare':>8}{'ratio':>8}{'recorded':>10}")
    ratios = watch.ratios()
    for part in watch.samples:
        ratio, known = ratios[str(part)], recorded.get(str(part), 0.0)
        ours, bare = watch.middle(part, OURS), watch.middle(part, BARE)
        print(f"{part!s:22}{ours:8.1f}{bare:8.1f}{ratio:8.2f}{known:10.2f}")


if __name__ == "__main__":
    typer.run(main)

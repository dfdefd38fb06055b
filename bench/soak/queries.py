"""Every query of the sweep and the feeder, explained by the server while N mails wait."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient
from pymongo.monitoring import CommandListener

from config.mongo import CODEC
from tasks.clock import ServerClock
from tasks.delivery import spans
from tasks.delivery.spans import Span
from tasks.delivery.states import State
from tasks.delivery.sweep import Sweep
from watcher.horizon import IN_HAND


#: Documents in one step of the watcher.
_STEP = 1000
#: Explained so often, and the quickest counts: whatever else the machine does is not the query's.
_TIMES = 5
_PARTS = {"find", "filter", "projection", "limit", "hint", "min", "max", "sort"}

Ask = Callable[[Sweep], object]


@dataclass(frozen=True, slots=True)
class Explained:
    """What the server says about one query."""

    when: str
    #: Mails that waited then, about.
    waiting: int
    name: str
    plan: str
    returned: int
    keys: int
    documents: int
    milliseconds: int


def explain_all(uri: str, database: str, when: str, waiting: int) -> list[Explained]:
    """Explain each of them as it would be asked now, while so many mails wait."""
    finds = _Finds()
    with MongoClient[dict[str, Any]](uri, event_listeners=[finds], tz_aware=True) as client:
        mails = client[database]["mail"]
        clock = ServerClock(client)
        sweep = Sweep(mails, clock, None, lease_expired="error")
        rows = []
        for name, ask in _queries(clock):
            finds.commands.clear()
            ask(sweep)
            for command in finds.commands[:]:
                stats = _explain(client, database, command)
                rows.append(Explained(when, waiting, name, *stats))
    return rows


def _queries(clock: ServerClock) -> Iterator[tuple[str, Ask]]:
    yield "expired leases", lambda sweep: sweep.expired_leases(_STEP)
    before = clock() - IN_HAND
    for state in (State.PENDING, State.RETRY):
        yield f"any {state}", functools.partial(Sweep.any_in, state=state)
        for span in spans.ALL:
            due = functools.partial(Sweep.due, state=state, span=span, limit=_STEP)
            yield f"due, {_name(span)}, {state}", due
            lost = functools.partial(Sweep.enqueued, state=state, span=span, limit=_STEP)
            times = {"since": None, "before": before}
            yield f"lost, {_name(span)}, {state}", functools.partial(lost, **times)
    for each in (None, State.PENDING, State.RETRY):
        for span in spans.ALL:
            feed = functools.partial(_feed, state=each, span=span)
            yield f"to feed, {_name(span)}, {each or 'no state'}", feed


def _feed(sweep: Sweep, state: State | None, span: Span) -> None:
    sweep.unqueued(state, span, _STEP).take()


def _name(span: Span) -> str:
    return "odd" if span.is_odd else str(span.priority or "none")


def _explain(
    client: MongoClient[dict[str, Any]], database: str, command: dict[str, Any]
) -> tuple[str, int, int, int, int]:
    plans = [
        client[database].command(
            "explain", command, verbosity="executionStats", codec_options=CODEC
        )
        for _ in range(_TIMES)
    ]
    plan = min(plans, key=lambda each: int(each["executionStats"]["executionTimeMillis"]))
    stats = plan["executionStats"]
    return (
        " ← ".join(_stages(plan["queryPlanner"]["winningPlan"])),
        stats["nReturned"],
        stats["totalKeysExamined"],
        stats["totalDocsExamined"],
        stats["executionTimeMillis"],
    )


def _stages(plan: dict[str, Any]) -> Iterator[str]:
    plan = plan.get("queryPlan", plan)
    name, index = plan.get("stage", "?"), plan.get("indexName")
    yield f"{name} {index}" if index else name
    for inner in [plan["inputStage"]] if "inputStage" in plan else plan.get("inputStages", []):
        yield from _stages(inner)


class _Finds(CommandListener):
    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: Any) -> None:
        if event.command_name == "find":
            kept = {k: v for k, v in event.command.items() if k in _PARTS}
            # A cursor's first answer has as many as a limit would allow.
            self.commands.append({"find": None, "limit": _STEP, **kept})

    def succeeded(self, event: Any) -> None:
        """Nothing to keep."""

    def failed(self, event: Any) -> None:
        """Nothing to keep."""

"""The books at the end: what the documents say against what the SMTP server took."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.soak.sinks import Postfix, Recording
from bench.stack import Stack


@dataclass(frozen=True, slots=True)
class Books:
    """Every SUCCESS was taken at least once; as many taken as SUCCESS: each exactly once."""

    states: dict[str, int]
    taken: int
    #: Recipients who got more than one mail; None: this server does not tell.
    twice: list[str] | None
    #: Ids a worker got whose mail was no longer there to be claimed.
    not_claimed: int
    #: Lines of the processes' logs that are warnings or worse, by event.
    warnings: dict[str, int]


def balance(running: Stack, sink: Postfix | Recording) -> Books:
    """Count."""
    groups = running.mails.aggregate([{"$group": {"_id": "$delivery.state", "n": {"$sum": 1}}}])
    states = {str(group["_id"]): int(group["n"]) for group in groups}
    not_claimed = 0
    warnings: dict[str, int] = {}
    for line in _lines(running.directory):
        if line.get("event") == "batch.done":
            not_claimed += line["not_claimed"]
        elif line.get("level") not in ("debug", "info"):
            event = str(line.get("event"))[:80]
            warnings[event] = warnings.get(event, 0) + 1
    return Books(states, sink.count(), sink.twice(), not_claimed, warnings)


def _lines(directory: Path) -> Iterator[dict[str, Any]]:
    for log in [*directory.glob("worker*.log"), *directory.glob("watcher*.log")]:
        with log.open(errors="replace") as lines:
            for line in lines:
                if line.startswith("{"):
                    yield json.loads(line)

"""How many ids go into one message: one when idle, BATCH_SIZE under load."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tasks.delivery.candidate import Candidate
from tasks.lanes import Lane


#: Messages among which a burst is spread while the queue is short, so that no worker idles.
SPREAD = 16
#: Messages in a queue from which on the workers have enough to do.
BUSY = SPREAD


def size(ids: int, waiting_messages: int, batch_size: int, spread: int = SPREAD) -> int:
    """Choose the number of ids in a message."""
    if waiting_messages >= BUSY:
        return batch_size
    return max(1, min(batch_size, math.ceil(ids / spread)))


def split(
    candidates: Iterable[Candidate],
    messages: dict[Lane, int],
    batch_size: int,
    spread: int = SPREAD,
) -> Iterator[tuple[Lane, Sequence[Any]]]:
    """Cut candidates into messages of one lane each, high priority first, in order within a lane.

    `messages`: how many wait in each lane's queue. `spread`: among how many a burst is spread.
    """
    lanes: dict[Lane, list[Any]] = {lane: [] for lane in Lane}
    for candidate in candidates:
        lanes[candidate.lane].append(candidate.id)
    for lane, ids in lanes.items():
        step = size(len(ids), messages.get(lane, 0), batch_size, spread)
        for start in range(0, len(ids), step):
            yield lane, ids[start : start + step]

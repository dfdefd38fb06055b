"""What the rounds ask of the leader: admit and publish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tasks.delivery.candidate import Candidate


class Enqueue(Protocol):
    """Admits and publishes candidates; `fed`: there is room for them.

    Raises PyMongoError, or one of enqueue.BROKER_ERRORS.
    """

    def __call__(self, candidates: Sequence[Candidate], *, fed: bool = False) -> None: ...

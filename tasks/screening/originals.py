"""One mail for each `idempotencyKey`: whoever inserts twice sends once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tasks.clock import Now
from tasks.delivery import results
from tasks.delivery.keys import Fate, Holder, Keys
from tasks.delivery.returns import Waiting
from tasks.screening.screen import Prepared, Screened


#: Seconds until a duplicate looks again at an original that is not done: a quarter of the time that
#: has passed, within these bounds.
_SHORTEST, _LONGEST = 0.5, 30.0
_WHY = "idempotencyKey: another mail with this key is not done yet"


class Originals:
    """A screen: sends the first document of a key, and ends the others when that one is sent."""

    def __init__(self, keys: Keys, now: Now) -> None:
        self._keys = keys
        self._now = now

    def __call__(self, group: Sequence[Prepared]) -> Screened:
        """Sort the group. Raises PyMongoError."""
        screened = Screened()
        for prepared in group:
            key = prepared.claim.document.get("idempotencyKey")
            holder = None if key is None else self._keys.take(key, prepared.claim.id)
            if holder is None:
                screened.send.append(prepared)
            elif holder.fate is Fate.OPEN:
                screened.waiting.append(Waiting(prepared.claim, self._seconds(holder), _WHY))
            else:
                sent = holder.fate is Fate.SENT
                screened.ended.append(
                    results.of_duplicate(prepared.claim, prepared.mail, holder.id, sent=sent)
                )
        return screened

    def _seconds(self, holder: Holder) -> float:
        usual = min(max(holder.age.total_seconds() / 4, _SHORTEST), _LONGEST)
        return max(usual, _until(holder.next_attempt, self._now()))


def _until(time: datetime | None, now: datetime) -> float:
    return 0.0 if time is None else (time - now).total_seconds() + _SHORTEST

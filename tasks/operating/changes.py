"""Retry, resend, cancel, purge: conditional writes, in chunks, that say how many they changed."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import WriteError

from config.mongo import Document
from tasks.delivery import keys, malformed, wishes
from tasks.delivery.indexes import ENDED, FIRST_DATE
from tasks.delivery.states import State
from tasks.delivery.wishes import CANCELLED, Wish
from tasks.operating import search
from tasks.operating.filters import NEW, Filter


#: Mails in one write: some milliseconds for the primary, and a step of the progress.
CHUNK = 500
#: What is removed earlier would let a second document with its idempotencyKey find it gone.
LEAST_AGE = keys.WINDOW

#: Told after each chunk how many mails were looked at, and how many were changed.
Progress = Callable[[int, int], None]
#: Which mails: their ids, or all that a filter finds.
Which = Sequence[Any] | Filter

#: The server's error for a document of which an index cannot be made (error_codes.yml).
_PARALLEL_ARRAYS = 171
_WAITING = (NEW, State.PENDING.value, State.RETRY.value)
_ENDED = [State.SUCCESS.value, State.ERROR.value]
_FAILED = (State.ERROR.value, CANCELLED)
_SENT = (State.SUCCESS.value,)


@dataclass(frozen=True, slots=True)
class Changed:
    """Mails that were looked at, and that were changed; the others were in no state for it."""

    looked_at: int = 0
    changed: int = 0


class Kind(StrEnum):
    """What can be done with mails."""

    RETRY = "retry"
    RESEND = "resend"
    CANCEL = "cancel"


#: The states each is for, and those that it is for when none are named.
_STATES = {
    Kind.RETRY: (_FAILED, (State.ERROR.value,)),
    Kind.RESEND: (_SENT, _SENT),
    Kind.CANCEL: (_WAITING, _WAITING),
}


def narrowed(chosen: Filter, kind: Kind) -> Filter | None:
    """Leave the states that a change is for, to count them before it; None: it is for none of them.

    A stopped mail is sent again only when its state is asked for.
    """
    allowed, usual = _STATES[kind]
    states = tuple(each for each in chosen.states if each in allowed) if chosen.states else usual
    return dataclasses.replace(chosen, states=states) if states else None


def retry(
    mails: Collection[Document],
    which: Which,
    *,
    in_doubt: bool = False,
    progress: Progress | None = None,
) -> Changed:
    """Send mails again that failed (ERROR); that were CANCELLED, when named by id or state.

    `in_doubt`: also those that somebody may have got already, who would get them twice.
    Raises PyMongoError; what was changed until then stays changed.
    """
    wish = wishes.retry(_FAILED, in_doubt=in_doubt)
    return _apply(mails, which, Kind.RETRY, [wish], progress)


def resend(
    mails: Collection[Document], which: Which, *, progress: Progress | None = None
) -> Changed:
    """Send mails again that went out (SUCCESS), to every recipient. Raises as `retry`."""
    wish = wishes.retry(_SENT, in_doubt=True)
    return _apply(mails, which, Kind.RESEND, [wish], progress)


def cancel(
    mails: Collection[Document], which: Which, *, progress: Progress | None = None
) -> Changed:
    """Stop mails that wait. One that a worker has taken meanwhile goes out. Raises as `retry`."""
    return _apply(mails, which, Kind.CANCEL, wishes.cancel(), progress)


def purge(
    mails: Collection[Document],
    before: datetime,
    now: datetime,
    *,
    progress: Progress | None = None,
) -> Changed:
    """Remove mails that ended (SUCCESS, ERROR) before a time. Raises as `retry`, and ValueError."""
    if now - before < LEAST_AGE:
        hours = LEAST_AGE // timedelta(hours=1)
        raise ValueError(f"mails are kept for {hours} hours, as long as their idempotencyKey")
    done = Changed()
    ended = {
        "delivery.state": {"$in": _ENDED},
        "delivery.endTime": {"$gte": FIRST_DATE, "$lt": before},
    }
    with mails.find(ended, {"_id": 1}, hint=ENDED, batch_size=CHUNK) as cursor:
        while ids := [each["_id"] for each in itertools.islice(cursor, CHUNK)]:
            removed = mails.delete_many({"_id": {"$in": ids}, **ended}).deleted_count
            done = _noted(done, len(ids), removed, progress)
    return done


def purgeable(
    mails: Collection[Document], before: datetime, *, up_to: int = search.COUNTED
) -> search.Count:
    """Count what `purge` would remove. Raises PyMongoError."""
    ended = {
        "delivery.state": {"$in": _ENDED},
        "delivery.endTime": {"$gte": FIRST_DATE, "$lt": before},
    }
    number = mails.count_documents(ended, hint=ENDED, limit=up_to + 1)
    return search.Count(min(number, up_to), is_exact=number <= up_to)


def _apply(
    mails: Collection[Document],
    which: Which,
    kind: Kind,
    steps: Sequence[Wish],
    progress: Progress | None,
) -> Changed:
    done = Changed()
    if isinstance(which, Filter):
        chosen = narrowed(which, kind)
        if chosen is None:
            return done
        chunks: Iterable[Sequence[Any]] = search.walk(mails, chosen, chunk=CHUNK)
        # It may have been edited since it was found.
        also = [{"delivery.state": {"$in": chosen.values_of_state()}}, *chosen.conditions()]
        also += chosen.times()
    else:
        chunks = (which[start : start + CHUNK] for start in range(0, len(which), CHUNK))
        also = []
    for ids in chunks:
        changed = sum(_write(mails, ids, wish, also) for wish in steps)
        done = _noted(done, len(ids), changed, progress)
    return done


def _write(
    mails: Collection[Document], ids: Sequence[Any], wish: Wish, also: Sequence[Document]
) -> int:
    query: Document = {"$and": [{"_id": {"$in": list(ids)}}, wish.condition, *also]}
    try:
        return mails.update_many(query, wish.update).modified_count
    except WriteError as error:
        if error.code != _PARALLEL_ARRAYS and not malformed.is_about_the_document(error.code):
            raise
        if len(ids) == 1:
            return 0
    # One document has no room below 16 MB, say: the others are spared.
    return sum(_write(mails, [id], wish, also) for id in ids)


def _noted(done: Changed, looked_at: int, changed: int, progress: Progress | None) -> Changed:
    done = Changed(done.looked_at + looked_at, done.changed + changed)
    if progress is not None:
        progress(done.looked_at, done.changed)
    return done

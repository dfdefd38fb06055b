"""One page out of several lists, each in its own order of time."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson.datetime_ms import DatetimeMS

from tasks.delivery.candidate import milliseconds
from tasks.operating.lists import List, Part, place_of
from tasks.operating.mails import Mail
from tasks.operating.positions import START, Cursor, Position


#: Of what has no time.
_BEFORE_ALL = float("-inf")


@dataclass(frozen=True, slots=True)
class Page:
    """Some mails, newest first. `after`: where the next page begins; None: there is none.

    `is_cut_short`: the time was up before the page was full. All that is younger than
    `searched_back_to` was looked at; None: nothing can be said.
    """

    mails: list[Mail]
    after: Cursor | None
    is_cut_short: bool = False
    searched_back_to: datetime | None = None


def merge(lists: Mapping[str, List], after: Cursor | None, limit: int, deadline: float) -> Page:
    """Read a page. Raises PyMongoError."""
    places = dict.fromkeys(lists, START) if after is None else dict(after.places)
    parts = {
        name: lists[name].part(place, limit, deadline)
        for name, place in places.items()
        if name in lists
    }
    cut = [part.place for part in parts.values() if part.place and len(part.documents) < limit]
    floor = max((_moment(place.time) for place in cut), default=_BEFORE_ALL)
    runs = ([(name, each) for each in part.documents] for name, part in parts.items())
    used: dict[str, int] = dict.fromkeys(parts, 0)
    shown: list[Mail] = []
    for name, document in heapq.merge(*runs, key=lambda one: -_moment(place_of(one[1]).time)):
        # What a list that was cut short has not told yet may come before this one.
        if len(shown) == limit or _moment(place_of(document).time) < floor:
            break
        shown.append(Mail.of(document))
        used[name] += 1
    further = {name: _place(parts[name], number, places[name]) for name, number in used.items()}
    next_places = {name: place for name, place in further.items() if place is not None}
    cut_short = bool(cut) and len(shown) < limit
    return Page(
        shown,
        Cursor(next_places) if next_places else None,
        is_cut_short=cut_short,
        searched_back_to=_date(floor) if cut_short else None,
    )


def _place(part: Part, used: int, before: Position) -> Position | None:
    if used == len(part.documents):
        return part.place
    return place_of(part.documents[used - 1]) if used else before


def _moment(time: Any) -> float:
    dated = isinstance(time, datetime | DatetimeMS)
    return milliseconds(time) if dated else _BEFORE_ALL


def _date(moment: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(moment / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None

"""Newest first, page by page, over a million mails; and how many there are.

What no index knows (an address, a part of the subject) is looked for along the index of startTime.
When the time is up, the page ends where the search has come to and says so; the next one goes on.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pymongo.collection import Collection

from config.mongo import Document
from tasks.delivery.indexes import ASIDE_STATES, LIVE
from tasks.delivery.states import State
from tasks.operating.filters import NEW, Filter
from tasks.operating.lists import PLACE, Along, Few, List
from tasks.operating.mails import PROJECTION
from tasks.operating.pages import Page, merge
from tasks.operating.positions import Cursor, Position


#: The most mails of a page.
LARGEST_PAGE = 1000
#: Seconds that one page, or one count, may take.
PATIENCE = 3.0
#: Up to here a number is exact.
COUNTED = 10_000
#: So many waiting mails are sorted at each page; with more, the index of all mails is gone along.
_FEW = 20_000
_LIVE = (NEW, State.PENDING.value, State.RETRY.value, State.PROCESSING.value)
#: The list of all mails, whatever their state.
ALL = "*"


@dataclass(frozen=True, slots=True)
class Count:
    """How many; `is_exact` False: there are more, or there may be."""

    number: int
    is_exact: bool

    def __str__(self) -> str:
        return f"{self.number:,}" if self.is_exact else f"{self.number:,}+"


def find(
    mails: Collection[Document],
    filter: Filter,
    *,
    after: Cursor | None = None,
    limit: int = 50,
    seconds: float = PATIENCE,
) -> Page:
    """Read a page. Mails that the watcher has not seen are found by their state, NEW, only.

    Raises PyMongoError.
    """
    if not 0 < limit <= LARGEST_PAGE:
        raise ValueError(f"a page has 1 to {LARGEST_PAGE} mails")
    lists = _lists(mails, filter, PROJECTION)
    return merge(lists, after, limit, time.monotonic() + seconds)


def count(
    mails: Collection[Document],
    filter: Filter,
    *,
    up_to: int = COUNTED,
    seconds: float = PATIENCE,
) -> Count:
    """Count as far as `up_to`, or as the time goes. Raises PyMongoError."""
    deadline = time.monotonic() + seconds
    number = 0
    for each in _lists(mails, filter, PLACE).values():
        part = each.part(None, up_to + 1 - number, deadline)
        number += len(part.documents)
        if number > up_to:
            return Count(up_to, is_exact=False)
        if part.place is not None:
            return Count(number, is_exact=False)
    return Count(number, is_exact=True)


def walk(
    mails: Collection[Document],
    filter: Filter,
    *,
    chunk: int,
) -> Iterator[list[Any]]:
    """Give the ids of all, in chunks, in no order that means anything. Raises PyMongoError."""
    for name in filter.states or (ALL,):
        if name in _LIVE:
            yield from _walk_live(mails, filter, name, chunk)
        else:
            yield from _walk_along(_along(mails, filter, PLACE, name), chunk)


def _walk_along(along: Along, chunk: int) -> Iterator[list[Any]]:
    place: Position | None = None
    while True:
        part = along.part(place, chunk, time.monotonic() + PATIENCE)
        if part.documents:
            yield [each["_id"] for each in part.documents]
        place = part.place
        if place is None:
            return


def _walk_live(
    mails: Collection[Document],
    filter: Filter,
    name: str,
    chunk: int,
) -> Iterator[list[Any]]:
    query = {"$and": [{"delivery.state": _value(name)}, *filter.conditions(), *filter.times()]}
    with mails.find(query, {"_id": 1}, hint=LIVE, batch_size=chunk) as cursor:
        while ids := [each["_id"] for each in itertools.islice(cursor, chunk)]:
            yield ids


def _lists(mails: Collection[Document], filter: Filter, projection: Document) -> dict[str, List]:
    """Choose an index for each state that is asked for."""
    return {
        name: _few(mails, filter, projection, name)
        if name == NEW or (name in _LIVE and _are_few(mails, name))
        else _along(mails, filter, projection, name)
        for name in filter.states or (ALL,)
    }


def _few(
    mails: Collection[Document],
    filter: Filter,
    projection: Document,
    name: str,
) -> Few:
    return Few(mails, [*filter.conditions(), *filter.times()], projection, _value(name))


def _along(
    mails: Collection[Document],
    filter: Filter,
    projection: Document,
    name: str,
) -> Along:
    query, times = filter.conditions(), (filter.since, filter.until)
    if name in ASIDE_STATES:
        return Along(mails, query, projection, *times, state=name)
    if name != ALL:
        query.append({"delivery.state": name})
    return Along(mails, query, projection, *times)


def _are_few(mails: Collection[Document], name: str) -> bool:
    query = {"delivery.state": name}
    return mails.count_documents(query, limit=_FEW + 1, hint=LIVE) <= _FEW


def _value(name: str) -> str | None:
    return None if name == NEW else name

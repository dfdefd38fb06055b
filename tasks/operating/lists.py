"""The lists that a search is made of: each in the order of an index, from any place on.

A list goes along its index in steps of so many keys, each read by its two ends. So the search
knows at any time how far it has come, and one hostile document costs nothing: a `delivery` that is
a list makes an index multikey for ever, but `min` and `max` need no bounds from the planner.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bson.max_key import MaxKey
from bson.min_key import MinKey
from pymongo import DESCENDING
from pymongo.collection import Collection
from pymongo.errors import ExecutionTimeout

from config.mongo import Document
from tasks.delivery import states
from tasks.delivery.indexes import ASIDE, FIRST_DATE, LIVE, TIMELINE
from tasks.operating.positions import START, Position


#: Keys of an index in the first step, and at most in one; a step takes less than _STEP_SECONDS.
_FIRST_STEP, _LONGEST_STEP, _STEP_SECONDS = 2_000, 100_000, 0.3
#: How often a step that ends at a hostile document is made longer by one.
_TRIES = 20

_TICK = timedelta(milliseconds=1)
#: Their index keys are those of their items: nobody could say where such a document stands.
_IS_MAP: Document = {
    "delivery": {"$not": {"$type": "array"}},
    "delivery.startTime": {"$not": {"$type": "array"}},
}
#: What tells where a document stands.
PLACE: Document = {"_id": 1, "delivery.startTime": 1}
_NEWEST_FIRST = [("delivery.startTime", DESCENDING), ("_id", DESCENDING)]


@dataclass(frozen=True, slots=True)
class Part:
    """Some documents of a list, newest first. `place`: where it goes on; None: that was all.

    Fewer documents than asked for, and a place: the time was up.
    """

    documents: list[Document]
    place: Position | None


class List(Protocol):
    """One list, newest first."""

    def part(self, place: Position | None, limit: int, deadline: float) -> Part:
        """Read on from a place, until time.monotonic() is `deadline`. Raises PyMongoError."""


@dataclass(frozen=True, slots=True)
class Along:
    """The documents of an index that meet a query; `state`: for ASIDE, one of its states."""

    mails: Collection[Document]
    #: All of them must hold.
    query: list[Document]
    projection: Document
    since: datetime | None
    until: datetime | None
    state: str | None = None

    def part(self, place: Position | None, limit: int, deadline: float) -> Part:
        """Read on, in steps that grow while they are quick."""
        if self.since is not None and self.until is not None and self.since >= self.until:
            return Part([], None)
        place = None if place == START else place
        found: list[Document] = []
        step = _FIRST_STEP if self.query else _LONGEST_STEP
        while True:
            started = time.monotonic()
            until = self._after(place, step) if self.query else None
            wanted = limit - len(found)
            found += self._between(place, until, wanted)
            if len(found) == limit:
                return Part(found, place_of(found[-1]))
            if until is None:
                return Part(found, None)
            place = until
            if time.monotonic() >= deadline:
                return Part(found, place)
            if time.monotonic() - started < _STEP_SECONDS / 2:
                step = min(step * 2, _LONGEST_STEP)

    def _between(
        self, place: Position | None, until: Position | None, limit: int
    ) -> list[Document]:
        query = [self._scope(), _IS_MAP, *self.query]
        if place is not None and place.is_seen:
            query.append({"_id": {"$ne": place.id}})
        cursor = self.mails.find(
            {"$and": query},
            self.projection,
            limit=limit,
            **self._range(place, until),
        )
        return list(cursor)

    def _after(self, place: Position | None, keys: int) -> Position | None:
        """Find the place so many keys on, by the index alone; None: it ends before."""
        for more in range(_TRIES):
            cursor = self.mails.find(
                self._scope(),
                PLACE,
                skip=keys + more,
                limit=1,
                **self._range(place, None),
            )
            for each in cursor:
                there = place_of(each)
                if not isinstance(there.time, list):
                    return Position(there.time, there.id, is_seen=False)
                break
            else:
                return None
        return None

    def _scope(self) -> Document:
        """Make the query without which the server does not take a partial index."""
        if self.state is not None:
            return {"delivery.state": self.state}
        return {"delivery.startTime": {"$gte": FIRST_DATE}}

    def _range(self, place: Position | None, until: Position | None) -> dict[str, Any]:
        newest: tuple[Any, Any] = (MaxKey(), MaxKey())
        oldest: tuple[Any, Any] = (MinKey(), MinKey())
        if self.until is not None:
            newest = (self.until - _TICK, MaxKey())
        if self.since is not None:
            oldest = (self.since - _TICK, MaxKey())
        if place is not None:
            newest = (place.time, place.id)
        if until is not None:
            oldest = (until.time, until.id)
        options: dict[str, Any] = {
            "hint": TIMELINE if self.state is None else ASIDE,
            "min": self._key(newest),
            "max": self._key(oldest),
        }
        if _is_sharded(self.mails):
            options["sort"] = _NEWEST_FIRST  # the order of one index is not that of several shards
        return options

    def _key(self, end: tuple[Any, Any]) -> Document:
        state = {} if self.state is None else {"delivery.state": self.state}
        return {**state, "delivery.startTime": end[0], "_id": end[1]}


@dataclass(frozen=True, slots=True)
class Few:
    """The documents of one waiting state, sorted by the server each time."""

    mails: Collection[Document]
    #: All of them must hold.
    query: list[Document]
    projection: Document
    state: str | None

    def part(self, place: Position | None, limit: int, deadline: float) -> Part:
        """Read on; when the time is up there is nothing, and the place is the same."""
        query = [{"delivery.state": self.state}, _IS_MAP, *self.query]
        if place is not None and place != START:
            query.append(_behind(place))
        left = max(deadline - time.monotonic(), 0.05)
        cursor = self.mails.find(
            {"$and": query},
            self.projection,
            sort=_NEWEST_FIRST,
            limit=limit,
            hint=LIVE,
            max_time_ms=int(left * 1000),
        )
        try:
            found = list(cursor)
        except ExecutionTimeout:
            return Part([], place or START)
        return Part(found, place_of(found[-1]) if len(found) == limit else None)


def _behind(place: Position) -> Document:
    """Match what comes after a place, in the server's order of values of any type."""
    start: Document = {"$ifNull": ["$delivery.startTime", None]}
    same_time = {"$eq": [start, {"$literal": place.time}]}
    after = "$lt" if place.is_seen else "$lte"
    later_id = {after: ["$_id", {"$literal": place.id}]}
    earlier = {"$lt": [start, {"$literal": place.time}]}
    return {"$expr": {"$or": [earlier, {"$and": [same_time, later_id]}]}}


def place_of(document: Document) -> Position:
    """Tell where a document stands."""
    return Position(states.subdocument(document).get("startTime"), document["_id"])


def _is_sharded(mails: Collection[Document]) -> bool:
    topology = mails.database.client.topology_description
    return topology.topology_type_name == "Sharded"

"""Paging and counting, by index, whatever stands in the documents."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import bson
import pytest
from bson import Binary, Decimal128, Int64, ObjectId
from pymongo.collection import Collection

from tasks.delivery.ids import key
from tasks.operating import lists, search
from tasks.operating.filters import Filter
from tasks.operating.positions import Cursor
from tests.support.histories import NOON, past


Mails = Collection[dict[str, Any]]


def pages(mails: Mails, filter: Filter, **options: Any) -> Iterator[list[Any]]:
    """Give the ids of each page; each goes on from the text of the last one's cursor."""
    after: Cursor | None = None
    while True:
        page = search.find(mails, filter, after=after, **options)
        yield [mail.id for mail in page.mails]
        if page.after is None:
            return
        after = Cursor.parse(str(page.after))


def all_of(mails: Mails, filter: Filter, **options: Any) -> list[Any]:
    return [id for page in pages(mails, filter, **options) for id in page]


def test_pages_are_whole_and_newest_first(mails: Mails) -> None:
    """Every mail once, in order of its time, however large a page is."""
    mails.insert_many([past(number) for number in range(25)])

    assert all_of(mails, Filter(), limit=10) == list(range(25))
    assert [len(page) for page in pages(mails, Filter(), limit=10)] == [10, 10, 5]
    assert all_of(mails, Filter(), limit=1) == list(range(25))


IDS = [
    ObjectId(), "an id", 7, Int64(2**40), 7.5, True, None, Decimal128("1.10"), bson.MinKey(),
    Binary(b"\x00\x01", 0), Binary.from_uuid(uuid.uuid4()), dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    {"tenant": 4, "mail": {"number": Int64(3)}}, bson.Timestamp(4, 5), bson.MaxKey(),
]  # fmt: skip


@pytest.mark.parametrize("state", ["SUCCESS", "ERROR", "PENDING"])
def test_ids_of_every_type_at_the_same_moment(mails: Mails, state: str) -> None:
    """A batch has one startTime: the order goes on by `_id`, of whatever type, in every index."""
    mails.insert_many([past(0, state) | {"_id": id} for id in IDS])

    found = all_of(mails, Filter(states=(state,)), limit=2)

    assert sorted(map(key, found)) == sorted(map(key, IDS))


def test_times_and_states_narrow_it(mails: Mails) -> None:
    """`since` is within, `until` is not; several states are one list in order of time."""
    states = ("SUCCESS", "ERROR", "PENDING", "CANCELLED")
    mails.insert_many([past(number, states[number % 4]) for number in range(40)])
    span = Filter(since=NOON - dt.timedelta(seconds=20), until=NOON - dt.timedelta(seconds=10))

    assert all_of(mails, span, limit=3) == list(range(11, 21))
    some = Filter(states=("ERROR", "PENDING"))
    assert all_of(mails, some, limit=3) == [n for n in range(40) if n % 4 in (1, 2)]
    nothing = Filter(since=NOON, until=NOON - dt.timedelta(hours=1))
    assert all_of(mails, nothing) == []


def test_what_the_watcher_has_not_seen_is_found_by_its_state(mails: Mails) -> None:
    """NEW: no `delivery`, null, or one without a state."""
    mails.insert_many([{"_id": 1}, {"_id": 2, "delivery": None}, {"_id": 3, "delivery": {}}])
    mails.insert_many([past(10), {"_id": 11, "delivery": {"state": "DRAFT"}}])

    assert all_of(mails, Filter(states=("NEW",)), limit=2) == [3, 2, 1]
    assert all_of(mails, Filter(states=("DRAFT",)), limit=2) == [11]
    assert all_of(mails, Filter(states=("NEW", "SUCCESS", "DRAFT")), limit=2) == [10, 3, 2, 1, 11]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"recipient": "RECIPIENT7@"}, {"to": "Ada <recipient7@example.com>"}),
        ({"recipient": "ada@"}, {"to": ["x@example.com"], "bcc": ["ada@example.com"]}),
        ({"recipient": "uid@"}, {"delivery.info": {"accepted": ["uid@example.com"]}}),
        ({"text": "in.oice"}, {"message": {"subject": "Your IN.OICE"}}),
        ({"template": "welcome"}, {"template": {"name": "welcome"}}),
        ({"transport": "bulk"}, {"transport": "bulk"}),
        ({"priority": "high"}, {"priority": "high"}),
        ({"inDoubt": "yes"}, {"delivery.state": "ERROR", "delivery.inDoubt": True}),
    ],
)
def test_each_filter(mails: Mails, fields: dict[str, str], wanted: dict[str, Any]) -> None:
    """It finds the mail that is meant, and no other."""
    mails.insert_many([past(number) for number in range(100, 120)])
    mails.insert_one(past(0) | {"message": {"subject": "invoice"}})
    mails.update_one({"_id": 105}, {"$set": wanted})

    assert all_of(mails, Filter.parse(fields, NOON)) == [105]


def test_a_search_goes_on_where_its_time_was_up(
    mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is cut short says how far it came; all pages together find everything."""
    monkeypatch.setattr(lists, "_FIRST_STEP", 100)
    monkeypatch.setattr(lists, "_LONGEST_STEP", 100)
    mails.insert_many([past(number) for number in range(1000)])
    wanted = Filter(text="Mail 77")

    first = search.find(mails, wanted, seconds=0)

    assert first.mails[0].id == 77
    assert first.is_cut_short
    assert first.searched_back_to == NOON - dt.timedelta(seconds=100)
    assert all_of(mails, wanted, seconds=0) == [77, *range(770, 780)]


def test_a_hostile_document_changes_nothing(mails: Mails) -> None:
    """Lists where a map belongs make the indexes multikey for ever; pages stay whole."""
    when = [NOON, NOON - dt.timedelta(days=9)]
    mails.insert_many(
        [
            {"_id": "list", "delivery": [{"state": "ERROR", "startTime": NOON, "endTime": NOON}]},
            {"_id": "times", "delivery": {"state": "ERROR", "startTime": when}},
            {"_id": "ends", "delivery": {"state": "ERROR", "endTime": when}},
        ]
    )
    mails.insert_many([past(number, ("ERROR", "SUCCESS")[number % 2]) for number in range(30)])

    assert all_of(mails, Filter(), limit=7) == list(range(30))
    assert all_of(mails, Filter(text="mail"), limit=7) == list(range(30))
    assert all_of(mails, Filter(states=("ERROR",)), limit=7) == [*range(0, 30, 2), "ends"]
    since = Filter(since=NOON - dt.timedelta(seconds=10))
    assert all_of(mails, since, limit=7) == list(range(11))


def test_counting_is_exact_up_to_a_bound(mails: Mails) -> None:
    """Then it says so by a plus; so it does when the time was up."""
    mails.insert_many([past(number, ("ERROR", "SUCCESS")[number % 2]) for number in range(30)])

    assert str(search.count(mails, Filter())) == "30"
    assert str(search.count(mails, Filter(), up_to=29)) == "29+"
    assert str(search.count(mails, Filter(states=("ERROR",), recipient="recipient1"))) == "5"


def test_a_walk_gives_every_id_once(mails: Mails) -> None:
    """In chunks, along every index."""
    states = ("SUCCESS", "ERROR", "PENDING", "RETRY")
    mails.insert_many([past(number, states[number % 4]) for number in range(40)])
    mails.insert_one({"_id": "new"})

    every = Filter(states=(*states, "NEW"))
    found = [id for chunk in search.walk(mails, every, chunk=3) for id in chunk]

    assert sorted(map(str, found)) == sorted([*map(str, range(40)), "new"])
    assert [len(chunk) for chunk in search.walk(mails, Filter(), chunk=30)] == [30, 10]

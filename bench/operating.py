"""What people's questions cost over a million mails: `python -m bench.operating [--mails 1000000]`.

Inserts finished, failed and waiting mails, then asks each question of tasks/operating three times,
and prints the quickest and the slowest.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from pymongo import InsertOne
from pymongo.collection import Collection

from bench.index_cost import mongod
from config.mongo import CODEC
from tasks.delivery import indexes
from tasks.lanes import Lane
from tasks.operating import changes, counts, mails, search, throughput
from tasks.operating.filters import Filter
from tasks.operating.pages import Page


Mails = Collection[dict[str, Any]]

_NOW = datetime.now(UTC).replace(microsecond=0)
_GROUP = 5000
_TIMES = 3
#: In a thousand.
_STATES = {"ERROR": 10, "PENDING": 10, "CANCELLED": 1, "DRAFT": 1}
_PER_SECOND = 200


def main(
    count: Annotated[int, typer.Option("--mails", help="mails there are")] = 1_000_000,
) -> None:
    """Measure."""
    with mongod() as (client, _):
        collection = client["operating"].get_collection("mail", codec_options=CODEC)
        indexes.ensure(collection)
        started = time.monotonic()
        _fill(collection, count)
        print(f"{count:,} mails in {time.monotonic() - started:.0f} s")
        for name, ask in _questions(collection).items():
            _measure(name, ask)
        sizes = client["operating"].command("collStats", "mail")["indexSizes"]
        print({name: f"{size / 1e6:.1f} MB" for name, size in sizes.items()})


def _measure(name: str, ask: Callable[[], Any]) -> None:
    times: list[float] = []
    for _ in range(_TIMES):
        started = time.monotonic()
        said = ask()
        times.append(time.monotonic() - started)
    print(f"{name:44} {min(times) * 1000:8.1f}–{max(times) * 1000:8.1f} ms  {said}")


def _fill(collection: Mails, count: int) -> None:
    chance = random.Random(1)
    for start in range(0, count, _GROUP):
        documents = [_mail(number, count, chance) for number in range(start, start + _GROUP)]
        collection.bulk_write([InsertOne(each) for each in documents], ordered=False)


def _mail(number: int, count: int, chance: random.Random) -> dict[str, Any]:
    draw, state = chance.random() * 1000, "SUCCESS"
    for name, share in _STATES.items():
        if draw < share:
            state = name
            break
        draw -= share
    start = _NOW - timedelta(seconds=(count - number) / _PER_SECOND)
    ended = start + timedelta(seconds=chance.expovariate(2))
    done = state in ("SUCCESS", "ERROR")
    return {
        "to": f"customer{number}@example.com",
        "message": {"subject": f"Your order {number}", "text": "x" * 300},
        "delivery": {
            "state": state,
            "startTime": start,
            "endTime": ended if done else None,
            "error": "refused" if state == "ERROR" else None,
            "attempts": 1,
            "info": {"accepted": [f"customer{number}@example.com"]} if done else None,
        },
    }


def _questions(collection: Mails) -> dict[str, Callable[[], Any]]:
    hour_ago = _NOW - timedelta(hours=1)
    filters = {
        "all": Filter(),
        "ERROR": Filter(states=("ERROR",)),
        "ERROR of the last hour": Filter(states=("ERROR",), since=hour_ago),
        "PENDING": Filter(states=("PENDING",)),
        "SUCCESS": Filter(states=("SUCCESS",)),
        "NEW": Filter(states=("NEW",)),
        "DRAFT": Filter(states=("DRAFT",)),
        "of a subject that many have": Filter(text="order 77"),
        "to the oldest recipient": Filter(recipient="customer3@example.com"),
        "ERROR to nobody": Filter(states=("ERROR",), recipient="nobody@example.com"),
        "priority high (none)": Filter(priority=Lane.HIGH),
    }
    found: dict[str, Callable[[], Any]] = {}
    for name, each in filters.items():
        found[f"page: {name}"] = functools.partial(_page, collection, each)
        found[f"count: {name}"] = functools.partial(search.count, collection, each)
    found["page: the last of ERROR"] = lambda: _last(collection, Filter(states=("ERROR",)))
    found["whole search for the oldest recipient"] = lambda: _pages(
        collection, filters["to the oldest recipient"]
    )
    found["counts by state"] = lambda: counts.by_state(collection)
    found["throughput"] = lambda: _minutes(throughput.last_hour(collection, _NOW))
    found["one mail"] = lambda: mails.named(collection, "7")
    found["purgeable"] = lambda: changes.purgeable(collection, hour_ago)
    return found


def _page(collection: Mails, chosen: Filter) -> str:
    page = search.find(collection, chosen)
    cut = f", searched back to {page.searched_back_to}" if page.is_cut_short else ""
    return f"{len(page.mails)} mails{cut}"


def _pages(collection: Mails, chosen: Filter) -> str:
    pages = list(_each(collection, chosen, 50))
    return f"{len(pages)} pages, {sum(len(each.mails) for each in pages)} mails"


def _last(collection: Mails, chosen: Filter) -> str:
    pages = list(_each(collection, chosen, 1000))
    return f"{len(pages)} pages of 1000, {sum(len(each.mails) for each in pages)} mails"


def _each(collection: Mails, chosen: Filter, limit: int) -> Iterator[Page]:
    after = None
    while True:
        page = search.find(collection, chosen, after=after, limit=limit)
        yield page
        after = page.after
        if after is None:
            return


def _minutes(found: list[throughput.Minute | None]) -> str:
    read = [each for each in found if each is not None]
    return f"{len(read)} minutes, {sum(each.sent for each in read):,} sent; {read[0]}"


if __name__ == "__main__":
    typer.run(main)

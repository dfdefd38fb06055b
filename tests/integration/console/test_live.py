"""Server-sent events from real changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from config.settings import Settings
from console.live import MOST_BROWSERS
from console.stream import MOST
from tests.support import console
from tests.support.console import Browser, Console
from tests.support.histories import past


Mails = Collection[dict[str, Any]]


@pytest.fixture
def own(shared: Settings, tmp_path: Path) -> Iterator[Console]:
    """A console that nobody else uses."""
    with console.running(shared, tmp_path / "console.log") as started:
        yield started


def _until_live(browser: Browser) -> Any:
    """Follow until changes are seen; what was seen before is nobody's business."""
    events = browser.events()
    for name, value in events:
        if name == "stream" and value["open"]:
            return events
    raise AssertionError("the events ended")


def test_a_change_reaches_every_browser(running: Console, mails: Mails) -> None:
    """Whatever the write: the line as it is then, without the body, and the removal."""
    first, second = (_until_live(running.browser().begin()) for _ in range(2))
    mails.insert_one(past(1, "PENDING") | {"_id": "a"})
    for events in (first, second):
        lines = next(v["mails"] for n, v in events if n == "mails" and v["mails"])
        assert [(mail["id"], mail["state"]) for mail in lines] == [("a", "PENDING")]
        assert "text" not in lines[0]

    mails.update_one({"_id": "a"}, {"$set": {"delivery.state": "SUCCESS"}})
    lines = next(v["mails"] for n, v in first if n == "mails" and v["mails"])
    assert lines[0]["state"] == "SUCCESS"
    mails.delete_one({"_id": "a"})
    assert next(v["removed"] for n, v in second if n == "mails" and v["removed"]) == ["a"]


def test_counts_follow(running: Console, mails: Mails) -> None:
    """The counts are told, and change with the mails."""
    mails.insert_many([past(number, "ERROR") for number in range(3)])
    events = running.browser().begin().events()
    assert next(v for n, v in events if n == "counts" and v["states"]["ERROR"] == 3)

    mails.insert_one({"_id": "new"})
    assert next(v for n, v in events if n == "counts" and v["states"]["NEW"] == 1)


def test_a_flood_is_bounded(running: Console, mails: Mails) -> None:
    """Of very many changes at once some are shown, and that there are more."""
    events = _until_live(running.browser().begin())
    mails.insert_many([past(number) for number in range(5000)])

    seen = 0
    for name, value in events:
        if name == "mails":
            assert len(value["mails"]) <= MOST
            seen += len(value["mails"])
            if value["more"] and seen:
                break


def test_no_more_browsers_than_there_is_room_for(own: Console) -> None:
    """One too many is told so, and the page itself goes on."""
    browser = own.browser().begin()
    following = [browser.events() for _ in range(MOST_BROWSERS)]
    for events in following:
        next(events)

    answer = browser.get("/api/events")

    assert answer.status == 503
    assert browser.get("/api/mails").status == 200


def test_a_stop_lets_the_browsers_go(own: Console) -> None:
    """The console ends at once, with code 0, though somebody looks."""
    events = own.browser().begin().events()
    next(events)

    assert own.server.stop(timeout=4) == 0
    assert [name for name, _ in events if name not in ("counts", "hour", "stream", "mails")] == []

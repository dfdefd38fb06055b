"""Deliveries: order, patience, and up to where everything is delivered."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from tests.support.application import eventually
from watcher.events.courier import Courier
from watcher.events.progress import Progress
from watcher.events.receivers import Function, NotTaken


NOW = datetime(2026, 1, 2, tzinfo=UTC)


def _token(progress: Progress) -> dict[str, Any] | None:
    place = progress.reached()
    return place.token if place else None


def _event(subject: str, number: int) -> dict[str, Any]:
    return {"id": f"{subject}{number}", "subject": subject, "type": "t", "number": number}


def test_the_place_moves_when_all_before_it_is_delivered() -> None:
    """In the order of the stream, whatever comes first."""
    progress = Progress(10)
    first, second = (progress.begin({"_data": each}, 1, NOW) for each in "ab")
    assert progress.reached() is None

    progress.delivered(second)
    assert progress.reached() is None
    progress.delivered(first)

    assert _token(progress) == {"_data": "b"}


def test_places_without_events_cost_nothing() -> None:
    """However many follow one that is not delivered."""
    progress = Progress(10)
    stuck = progress.begin({"_data": "a"}, 1, NOW)
    for number in range(1000):
        progress.begin({"_data": str(number)}, 0, NOW)

    assert len(progress._steps) == 2
    progress.delivered(stuck)
    assert _token(progress) == {"_data": "999"}


def test_a_full_window_has_no_room() -> None:
    """The others wait in MongoDB."""
    progress = Progress(2)
    step = progress.begin({"_data": "a"}, 2, NOW)

    assert not progress.wait_for_room(0)
    progress.delivered(step)

    assert progress.wait_for_room(0)
    assert not progress.wait_for_all(0)


def test_events_of_a_mail_stay_in_order_though_some_fail() -> None:
    """A failure holds up its mail's next event; every mail's are all there."""
    taken: list[tuple[str, int]] = []
    failed: set[str] = set()
    lock = threading.Lock()

    def take(event: dict[str, Any]) -> None:
        with lock:
            if event["number"] == 1 and event["id"] not in failed:
                failed.add(event["id"])
                raise OSError("not now")
            taken.append((event["subject"], event["number"]))

    progress = Progress(1000)
    courier = Courier(Function(take), progress)
    for number in range(3):
        for subject in "abcdefgh":
            step = progress.begin({"_data": f"{number}{subject}"}, 1, NOW)
            courier.send([_event(subject, number)], step)
    assert progress.wait_for_all(20)
    courier.stop(5)

    for subject in "abcdefgh":
        assert [number for each, number in taken if each == subject] == [0, 1, 2]
    assert _token(progress) == {"_data": "2h"}


def test_an_event_that_is_refused_for_good_is_given_up(monkeypatch: Any) -> None:
    """It must not hold up all others for ever; the log has it."""
    monkeypatch.setattr("watcher.events.courier._FIRST_PAUSE", 0.001)
    asked: list[str] = []

    class Picky:
        def take(self, event: dict[str, Any]) -> None:
            asked.append(event["id"])
            if event["number"] == 0:
                raise NotTaken("answered 400", refused=True)

    progress = Progress(10)
    courier = Courier(Picky(), progress)
    courier.send([_event("a", 0), _event("a", 1)], progress.begin({"_data": "x"}, 2, NOW))

    assert progress.wait_for_all(10)
    courier.stop(5)
    assert asked == ["a0"] * 8 + ["a1"]


def test_a_stop_leaves_undelivered_what_is_undelivered() -> None:
    """The next sender begins there."""
    tried = threading.Event()

    def take(_event: dict[str, Any]) -> None:
        tried.set()
        raise OSError("away")

    progress = Progress(10)
    courier = Courier(Function(take), progress)
    courier.send([_event("a", 0)], progress.begin({"_data": "x"}, 1, NOW))
    eventually("it was tried", tried.is_set)
    courier.stop(5)

    assert progress.reached() is None
    assert not any(thread.is_alive() for thread in courier._threads)

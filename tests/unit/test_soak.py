"""What `make soak` makes of what it saw: it must not call a broken promise kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from bench.soak import figures, promises
from bench.soak.books import Books
from bench.soak.figures import Sample
from bench.soak.queries import Explained
from bench.soak.run import Outcome
from bench.soak.urgent import Probe
from tasks.delivery.indexes import LIVE


MB = 1_000_000
QUEUE_LIMIT = 5000


def sample(second: int, *, worker: float = 1.0, memory: float = 100.0) -> Sample:
    """A hundred mails a second, of which each costs the worker so many milliseconds."""
    return Sample(
        at=float(second),
        done=second * 100,
        busy=second * 0.55,
        cpu={"worker": second * 0.1 * worker, "mongod": second * 0.05},
        memory={"worker0": int(memory * MB)},
        queued={"high": 0, "normal": 4000},
        broker_bytes=2 * MB,
    )


GOOD_QUERY = Explained(
    "10,000 wait", 10_000, "lost", f"LIMIT ← FETCH ← IXSCAN {LIVE}", 1000, 1001, 1000, 9
)
GOOD = Outcome(
    mails=10_000,
    takeovers=[8.5],
    samples=[sample(second) for second in range(101)],
    probes=[Probe(0, 0.3, 0.1, leaderless=False), Probe(9, 9.0, 8.9, leaderless=True)],
    explained=[GOOD_QUERY],
    books=Books({"SUCCESS": 10_002}, 10_002, None, 0, {}),
)


def broken(**changes: Any) -> list[str]:
    outcome = dataclasses.replace(GOOD, **changes)
    return list(promises.broken(outcome, queue_limit=QUEUE_LIMIT))


def test_a_good_run_breaks_nothing() -> None:
    """The others below change one thing each."""
    assert broken() == []


def books(**changes: Any) -> Books:
    assert GOOD.books is not None
    return dataclasses.replace(GOOD.books, **changes)


def query(**changes: Any) -> list[Explained]:
    return [dataclasses.replace(GOOD_QUERY, **changes)]


FAULTS: Mapping[str, tuple[dict[str, Any], str]] = {
    "time": ({"late": "the time was over"}, "the time was over"),
    "ended": ({"ended": ["worker1"]}, "worker1 ended by itself"),
    "no books": ({"books": None}, "not balanced"),
    "an error": ({"books": books(states={"SUCCESS": 10_001, "ERROR": 1})}, "not all are SUCCESS"),
    "taken twice": ({"books": books(taken=10_003)}, "took 10,003 mails"),
    "recipients": ({"books": books(twice=["a@example.com"])}, "more than one mail"),
    "in vain": ({"books": books(not_claimed=200)}, "in vain, more than 1%"),
    "slow urgent": ({"probes": [Probe(0, 2.5, 0.1, leaderless=False)] * 2}, "longest 2.5 s"),
    "no leader": ({"probes": [*GOOD.probes[:1], Probe(0, 13, 12, leaderless=True)]}, "no watcher"),
    "no urgent": ({"probes": [], "books": books(states={"SUCCESS": 10_000}, taken=10_000)}, "none"),
    "slow query": ({"explained": query(milliseconds=51)}, "51 ms"),
    "scan": ({"explained": query(plan="LIMIT ← COLLSCAN")}, "COLLSCAN"),
    "sort": ({"explained": query(plan=f"SORT ← IXSCAN {LIVE}")}, "SORT"),
    "another index": ({"explained": query(plan="FETCH ← IXSCAN _id_")}, "_id_"),
    "many documents": ({"explained": query(documents=1001)}, "1,001 documents"),
    "takeover": ({"takeovers": [10.5]}, "10.5 s"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_promise_is_said(fault: str) -> None:
    """One clear line, that has the figure."""
    changes, text = FAULTS[fault]

    [line] = broken(**changes)

    assert text in line.replace("no mail of high priority was measured", "none")


def test_a_query_without_a_backlog_is_not_judged() -> None:
    """It is shown only."""
    assert broken(explained=query(milliseconds=500, waiting=0)) == []


def test_growing_memory_is_said() -> None:
    """A tenth and 5 MB from the first to the last third of a process's life."""
    grown = [sample(second, memory=100 + second / 4) for second in range(101)]
    steady = [sample(second, memory=100 + second / 20) for second in range(101)]

    assert "worker0 grew: 108 → 125 MB" in broken(samples=grown)[0]
    assert broken(samples=steady) == []


def test_mails_that_become_dearer_are_said() -> None:
    """The tenth before the last is compared with the one after the first."""
    dear = [sample(second, worker=1 + (second > 80) * (second - 80) / 20) for second in range(101)]

    assert any(line.startswith("CPU a mail, worker") for line in broken(samples=dear))
    early, late = figures.costs(GOOD.samples)["worker"]
    assert early == pytest.approx(late) == pytest.approx(1000)


def test_a_long_queue_and_a_full_broker_are_said() -> None:
    """By lane."""
    long = [dataclasses.replace(sample(s), queued={"high": 0, "normal": 5001}) for s in range(101)]
    full = [dataclasses.replace(sample(second), broker_bytes=51 * MB) for second in range(101)]

    assert "queue normal: up to 5,001 ids" in broken(samples=long)[0]
    assert "51 MB" in broken(samples=full)[0]


def test_a_sparkline_reaches_from_nothing_to_the_most() -> None:
    """One letter for each value, or for the most of several."""
    assert figures.sparkline([0, 5, 10]) == "▁▅█"
    assert len(figures.sparkline(range(1000))) <= 41
    assert figures.sparkline([]) == ""


def test_other_work_is_what_is_not_ours() -> None:
    """0.55 processors are busy, worker and mongod use 0.15."""
    assert figures.others(GOOD.samples) == pytest.approx(0.4)


def test_on_a_busy_machine_more_ids_may_be_in_vain() -> None:
    """A worker that gets no processor looks as if it had lost its ids."""
    samples = [dataclasses.replace(each, busy=each.at * 0.75) for each in GOOD.samples]

    assert broken(samples=samples, books=books(not_claimed=200)) == []
    [line] = broken(samples=samples, books=books(not_claimed=600))
    assert "in vain, more than 5%" in line

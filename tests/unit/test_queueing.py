"""The queueing network of bench.scaling."""

from __future__ import annotations

import pytest

from bench.queueing import Station, solve


def test_little_work_is_threads_over_time() -> None:
    """Nobody queues: each thread sends one mail in the time a mail takes (Little's law)."""
    answer = solve([Station("cpu", 1e-6, servers=4)], threads=10, waiting=0.1)

    assert answer.rate == pytest.approx(100, rel=0.01)


def test_much_work_is_bound_by_the_narrowest_station() -> None:
    """However many threads: a station of two servers and 1 ms a mail gives 2,000 a second."""
    stations = [Station("cpu", 1e-3, servers=2), Station("process", 0.5e-3, copies=4)]

    answer = solve(stations, threads=1000, waiting=0.01)

    assert answer.rate == pytest.approx(2000, rel=0.02)
    assert answer.narrowest == "cpu"
    assert answer.busy["process"] == pytest.approx(0.25, rel=0.02)


def test_more_threads_never_send_less() -> None:
    """The network has no cost of its own for threads."""
    stations = [Station("cpu", 1e-3, servers=2), Station("process", 0.8e-3)]
    rates = [solve(stations, threads=n, waiting=0.04).rate for n in (1, 2, 8, 32, 128)]

    assert rates == sorted(rates)

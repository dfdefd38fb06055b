"""Calls that may hang are given up in time."""

from __future__ import annotations

import threading

import pytest

from config.patience import Patience


def test_what_the_call_returns_or_raises() -> None:
    """As if it had been called here."""
    patience = Patience(1)

    assert patience.call(lambda: 5, 30) == 5
    with pytest.raises(ValueError, match="invalid literal"):
        patience.call(lambda: int("x"), 30)
    assert patience.call(lambda: 6, 30) == 6


def test_a_call_that_hangs_is_given_up() -> None:
    """Its thread stays until it returns; when so many hang, no more are begun."""
    patience, go_on = Patience(2), threading.Event()
    begun: list[int] = []

    def hang() -> bool:
        begun.append(1)
        return go_on.wait(30)

    for _ in range(3):
        with pytest.raises(TimeoutError):
            patience.call(hang, 0.01)
    assert len(begun) == 2
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "patience":
            thread.join(30)

    assert patience.call(lambda: "back", 30) == "back"

"""Times a method as one stage of SMTP."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Concatenate, ParamSpec, TypeVar, cast


P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

#: Times the stage of this name for as long as its context lasts.
Timer = Callable[[str], AbstractContextManager[object]]

#: In the order in which a mail meets them. `data`: from the content to the server's answer to it.
STAGES = ("connect", "tls", "hello", "auth", "envelope", "data")


_timer: Timer | None = None


def time_with(timer: Timer) -> None:
    """Let this one, too, time every stage from now on."""
    global _timer  # noqa: PLW0603 - one in a process, as its recorder is
    _timer = timer if _timer is None else _both(_timer, timer)


def _both(first: Timer, second: Timer) -> Timer:
    @contextlib.contextmanager
    def timed(name: str) -> Iterator[None]:
        with first(name), second(name):
            yield

    return timed


def staged(
    name: str,
) -> Callable[[Callable[Concatenate[S, P], T]], Callable[Concatenate[S, P], T]]:
    """Time it whether it returns or raises."""

    def decorate(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
        @functools.wraps(method)
        def timed(self: S, *arguments: P.args, **named: P.kwargs) -> T:
            timer = _timer
            if timer is None:  # a tenth of what an empty context takes
                return method(self, *arguments, **named)
            with timer(name):
                return method(self, *arguments, **named)

        return cast("Callable[Concatenate[S, P], T]", timed)

    return decorate

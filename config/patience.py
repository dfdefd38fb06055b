"""Calls that may hang for ever: on a network file system whose server is away, say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar


#: Calls that hang at the same time; each keeps a thread until it returns. Another one is not begun.
MOST_HANGING = 32

T = TypeVar("T")


class Patience:
    """Waits for calls, and gives up in time."""

    def __init__(self, most_hanging: int = MOST_HANGING) -> None:
        self._free = threading.BoundedSemaphore(most_hanging)

    def call(self, call: Callable[[], T], seconds: float) -> T:
        """Return what the call returns; raises what it raises.

        Raises TimeoutError when it takes longer, or when too many hang already.
        """
        if not self._free.acquire(blocking=False):
            raise TimeoutError
        outcome: Future[T] = Future()

        def run() -> None:
            try:
                outcome.set_result(call())
            except Exception as error:  # noqa: BLE001 - raised by whoever waits
                outcome.set_exception(error)
            finally:
                self._free.release()

        threading.Thread(target=run, name="patience", daemon=True).start()
        return outcome.result(seconds)

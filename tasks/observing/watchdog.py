"""Ends a process that is wedged, so that a supervisor starts another; it says why.

A server that is away wedges nobody: everything here waits for it and goes on. So a pulse that is
late is forgiven for as long as MongoDB or the broker does not answer.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from tasks.observing.pulses import Pulse


#: The longest time between two looks.
_LONGEST_TICK = 5.0
#: A part of its limit for which a pulse is late before the process ends: /healthz says so first.
_NOTICE, _LONGEST_NOTICE = 0.2, 30.0
#: Seconds for the last lines: a thread that is wedged may hold the lock of the log.
_LAST_WORDS = 5.0
#: os.EX_SOFTWARE, which is not there on every system.
EXIT_CODE = 70

_log = structlog.get_logger(__name__)


def _nobody_is_away() -> list[str]:
    return []


@dataclass(slots=True)
class _Watched:
    pulse: Pulse
    beats: int = -1
    #: Seconds in which it neither beat nor rested.
    silent: float = 0.0

    @property
    def is_late(self) -> bool:
        return self.silent > self.pulse.limit

    @property
    def is_over(self) -> bool:
        limit = self.pulse.limit
        return self.silent > limit + min(_LONGEST_NOTICE, _NOTICE * limit)


class Watchdog:
    """All pulses of a process, and the thread that looks at them once it was started.

    Time counts only while that thread comes by: a process that was stopped (SIGSTOP, a machine
    asleep) wakes with as much time as it had.
    """

    def __init__(self) -> None:
        #: Tells which servers do not answer.
        self.away: Callable[[], list[str]] = _nobody_is_away
        self._watched: list[_Watched] = []
        self._lock = threading.Lock()
        self._pid: int | None = None

    def watch(self, pulse: Pulse) -> Pulse:
        """Look at it from now on."""
        with self._lock:
            self._watched.append(_Watched(pulse))
        return pulse

    def forget(self, pulse: Pulse) -> None:
        """Look at it no more."""
        with self._lock:
            self._watched = [each for each in self._watched if each.pulse is not pulse]

    @contextlib.contextmanager
    def watching(self, pulse: Pulse) -> Iterator[Pulse]:
        """Look at it for as long as this lasts."""
        self.watch(pulse)
        try:
            yield pulse
        finally:
            self.forget(pulse)

    def late(self) -> list[str]:
        """Name what does not come by any more, as last seen."""
        return [f"{each.pulse.name}: {each.silent:.0f} s" for each in self._all() if each.is_late]

    def start(self) -> None:
        """Begin to look, once in each process; no pulse: nothing is looked at."""
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def look(self, elapsed: float) -> bool:
        """Count so many seconds; True: the process is wedged for good."""
        watched = self._all()
        for each in watched:
            if each.pulse.rests or each.pulse.beats != each.beats:
                each.beats, each.silent = each.pulse.beats, 0.0
            else:
                each.silent += elapsed
        late = [each for each in watched if each.is_late]
        if late and (away := self.away()):
            _log.info("watchdog.forgives", away=away, late=[each.pulse.name for each in late])
            for each in late:
                each.silent = 0.0
        return any(each.is_over for each in late)

    def _run(self) -> None:
        while True:
            tick = min((each.pulse.limit / 10 for each in self._all()), default=_LONGEST_TICK)
            tick = min(tick, _LONGEST_TICK)
            before = time.monotonic()
            time.sleep(tick)
            if self.look(min(time.monotonic() - before, 2 * tick)):
                self._end()

    def _end(self) -> None:
        late = self.late()
        words = threading.Thread(target=_say, args=(late,), daemon=True)
        words.start()
        words.join(_LAST_WORDS)
        os._exit(EXIT_CODE)

    def _all(self) -> list[_Watched]:
        with self._lock:
            return list(self._watched)

    def _begin_anew(self) -> None:
        """Leave the pulses to the process this one was forked from."""
        self._watched = []
        self._lock = threading.Lock()  # a thread that is not here may have held it


def _say(late: list[str]) -> None:
    _log.critical("watchdog.exits", late=late, exit_code=EXIT_CODE)
    faulthandler.dump_traceback(sys.stderr, all_threads=True)
    sys.stderr.flush()


#: This process's.
watchdog = Watchdog()
os.register_at_fork(after_in_child=watchdog._begin_anew)  # noqa: SLF001 - a part of the class that has to be a function

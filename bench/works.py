"""The works: a backlog to drain, one mail at a time, a kill -9 in the middle."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench import meter
from bench.contenders.base import Contender
from bench.mails import mail
from bench.sinks import BookedSink, FastSink, RecordingSink
from tests.support.sink import Sink


#: A part of the measured mails, sent before them: V8 compiles what has run often enough.
_WARM_UP_PART, _LEAST_WARM_UP = 5, 50
_POLL_SECONDS = 0.01
_MEMORY_EVERY = 1.0
#: Mails a second below which a contender is not waited for.
_SLOWEST = 20
#: Seconds in which a mail that was sent twice would show up.
_LATE = 0.3
#: The first mails of a latency measurement do not count; a slow contender sends fewer in all.
_WARM_UP_LATENCY = 5
_LATENCY_SECONDS = 60.0


@dataclass(frozen=True)
class Drained:
    """What a backlog cost: CPU in ms a mail, by part; the application's memory at its highest."""

    rate: float
    cpu: dict[str, float]
    memory_mb: float
    #: Why the figures do not count; None: the books balance.
    invalid: str | None


@dataclass(frozen=True)
class Latency:
    """From just before the insert until the SMTP server has the mail, in ms."""

    mails: int
    p50: float
    p99: float


@dataclass(frozen=True)
class Crash:
    """What a kill -9 left behind, in mails."""

    #: Mails the server had taken when the kill came.
    killed_at: int
    twice: int
    unsent: int
    #: Of the unsent: the store says that they failed.
    reported: int
    #: Sent, but the store calls it failed or in doubt.
    in_doubt: int
    #: Without an outcome in the store when patience ended, sent or not.
    stuck: int
    #: From the kill until every mail had an outcome; None: never.
    seconds: float | None


def fast(contender: Contender, mails: int) -> Drained:
    """Drain so many mails into a server that answers at once."""
    return _drain(contender, FastSink(contender.running), mails, slow=False)


def slow(contender: Contender, mails: int, delay_ms: int) -> Drained:
    """Drain so many mails into a server that waits before every reply."""
    return _drain(contender, RecordingSink(contender.running, delay_ms), mails, slow=True)


def latency(contender: Contender, mails: int) -> Latency:
    """Insert one mail at a time, the next when the outcome of the last is recorded."""
    with Sink() as sink:
        contender.running.environment["SMTP_CONNECTION_URI"] = sink.uri
        contender.start(slow=False)
        try:
            taken = _one_at_a_time(contender, sink, mails + _WARM_UP_LATENCY)
        finally:
            contender.stop()
    milliseconds = sorted(taken[_WARM_UP_LATENCY:])
    p99 = milliseconds[int(len(milliseconds) * 0.99)]
    return Latency(len(milliseconds), p50=statistics.median(milliseconds), p99=p99)


def crash(contender: Contender, mails: int, kill_at: int, delay_ms: int) -> Crash:
    """Kill the workers when the server has taken `kill_at` mails, start them again, and count."""
    sink = RecordingSink(contender.running, delay_ms)
    contender.start(slow=False)
    try:
        before = contender.books()
        with contender.asleep():
            contender.insert(range(mails))
        if not _until(lambda: sink.count() >= kill_at, 60, poll=0.001):
            raise TimeoutError(f"{sink.count()} of {kill_at} mails before the kill")
        contender.kill_workers()
        killed, killed_at = time.monotonic(), sink.count()
        contender.start_workers(slow=False)
        settled = _until(
            lambda: contender.books().settled - before.settled >= mails,
            contender.patience,
            poll=0.1,
        )
        seconds = time.monotonic() - killed
        time.sleep(_LATE)
    finally:
        contender.stop()
    taken, failed = sink.copies(), contender.failures()
    unsent = {mail(number)["to"] for number in range(mails)} - taken.keys()
    return Crash(
        killed_at=killed_at,
        twice=sum(count > 1 for count in taken.values()),
        unsent=len(unsent),
        reported=len(unsent & failed),
        in_doubt=len(failed - unsent),
        stuck=mails - (contender.books().settled - before.settled),
        seconds=seconds if settled else None,
    )


def _drain(contender: Contender, sink: BookedSink, mails: int, *, slow: bool) -> Drained:
    contender.start(slow=slow)
    try:
        _warm_up(contender, sink, max(_LEAST_WARM_UP, mails // _WARM_UP_PART))
        return _measured(contender, sink, mails)
    finally:
        contender.stop()


def _warm_up(contender: Contender, sink: BookedSink, mails: int) -> None:
    """Have connections made and code loaded."""
    before = contender.books().settled
    contender.insert(range(mails))
    arrived = _until(lambda: sink.count() >= mails, _limit(mails))
    recorded = _until(lambda: contender.books().settled >= before + mails, 30)
    if not arrived or not recorded:
        settled = contender.books().settled - before
        raise TimeoutError(f"warming up: of {mails} {sink.count()} sent, {settled} recorded")


def _limit(mails: int) -> float:
    return 60 + mails / _SLOWEST


def _measured(contender: Contender, sink: BookedSink, mails: int) -> Drained:
    running = contender.running
    taken, books = sink.count(), contender.books()
    with contender.asleep():
        used, started = meter.cpu(running), time.monotonic()
        producer = contender.insert(range(mails))
        if contender.can_pause:
            used, started = meter.cpu(running), time.monotonic()
    peak = _Peak(contender)
    _until(lambda: peak.look() and sink.count() >= taken + mails, _limit(mails))
    _until(lambda: contender.books().settled >= books.settled + mails, 30)
    seconds = time.monotonic() - started
    cpu = {part: now - used.get(part, 0.0) for part, now in meter.cpu(running).items()}
    cpu["producer"] = producer
    time.sleep(_LATE)
    return Drained(
        rate=mails / seconds,
        cpu={part: value / mails * 1000 for part, value in cpu.items()},
        memory_mb=peak.highest / 1e6,
        invalid=_imbalance(mails, sink.count() - taken, contender.books().sent - books.sent),
    )


def _imbalance(mails: int, taken: int, recorded: int) -> str | None:
    if taken == recorded == mails:
        return None
    return f"of {mails} mails {taken} at the server, {recorded} recorded as sent"


def _one_at_a_time(contender: Contender, sink: Sink, mails: int) -> list[float]:
    before, end = contender.books().settled, time.monotonic() + _LATENCY_SECONDS
    taken: list[float] = []
    while len(taken) < mails and (len(taken) <= _WARM_UP_LATENCY or time.monotonic() < end):
        taken.append(_one(contender, sink, before, len(taken)))
    return taken


def _one(contender: Contender, sink: Sink, before: int, number: int) -> float:
    started = time.perf_counter()
    contender.insert([number])
    sink.wait(number + 1, 90)
    taken = time.perf_counter() - started
    if not _until(lambda: contender.books().settled > before + number, 30):
        raise TimeoutError(f"mail {number} was sent; no outcome after 30 s")
    return taken * 1000


def _until(condition: Callable[[], bool], seconds: float, *, poll: float = _POLL_SECONDS) -> bool:
    """Wait until something is so; tell whether it came in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(poll)
    return True


@dataclass
class _Peak:
    """The application's memory at its highest, looked at once a second."""

    contender: Contender
    highest: int = 0
    _next: float = field(default=0.0, init=False)

    def look(self) -> bool:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _MEMORY_EVERY
            self.highest = max(self.highest, meter.memory(self.contender.running))
        return True

"""The metrics, and the recorders that keep them. docs/metrics.md has a line for each.

Names follow Prometheus' conventions; every label has few values, and none comes from a document.
"""

from __future__ import annotations

import time
from collections import Counter as Count
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from bson.datetime_ms import DatetimeMS
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tasks.lanes import Lane
from tasks.observing.recorder import Recorder
from tasks.observing.staged import STAGES


OUTCOMES = ("success", "error", "retry", "in_doubt")
ANSWERS = ("accepted", "partly", "refused", "deferred", "no_connection", "unknown")
WAITS = ("connection", "rate_limit", "pause", "redis", "other")
SWEPT = ("waiting", "due", "lost", "lease_expired")
STATES = ("none", "PENDING", "RETRY", "PROCESSING")

_QUEUE_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 43_200)
_SMTP_SECONDS = (0.0005, 0.002, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BATCH_MAILS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)


class _Stopwatch:
    """Observes the seconds from its entry to its exit, in a third of what a generator takes."""

    __slots__ = ("_histogram", "_started")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._started = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._histogram.observe(time.perf_counter() - self._started)


class WorkerMetrics(Recorder):
    """What a worker tells."""

    def __init__(self, registry: CollectorRegistry) -> None:
        mails = Counter(
            "mailtrigger_mails_total",
            "Attempts that ended, by what stands in the document then.",
            ["outcome"],
            registry=registry,
        )
        self._mails = {each: mails.labels(each) for each in OUTCOMES}
        self._attempts = Counter(
            "mailtrigger_attempts_total",
            "Mails that met a server, by its answer.",
            ["transport", "answer"],
            registry=registry,
        )
        #: What `labels` gave: it costs more than counting.
        self._answers: dict[tuple[str, str], Counter] = {}
        self._queue = Histogram(
            "mailtrigger_queue_seconds",
            "From the first PENDING (or sendAt) to the first claim.",
            buckets=_QUEUE_SECONDS,
            registry=registry,
        )
        stages = Histogram(
            "mailtrigger_smtp_seconds",
            "Time spent in one stage of SMTP.",
            ["stage"],
            buckets=_SMTP_SECONDS,
            registry=registry,
        )
        self._stages = {each: stages.labels(each) for each in STAGES}
        batches = Histogram(
            "mailtrigger_batch_mails",
            "Mails in one task.",
            ["priority"],
            buckets=_BATCH_MAILS,
            registry=registry,
        )
        self._batches = {lane.value: batches.labels(lane.value) for lane in Lane}
        waits = Counter(
            "mailtrigger_waits_total",
            "Mails that went back to wait, by what they wait for.",
            ["reason"],
            registry=registry,
        )
        self._waits = {each: waits.labels(each) for each in WAITS}

    def batch(self, lane: str, mails: int) -> None:
        """Observe its size."""
        self._batches[lane].observe(mails)

    def claimed(self, document: Mapping[str, Any], now: Callable[[], datetime]) -> None:
        """Observe how long it has waited, at its first attempt."""
        seconds = _seconds_in_queue(document, now)
        if seconds is not None:
            self._queue.observe(seconds)

    def ended(self, outcome: str) -> None:
        """Count it."""
        self._mails[outcome].inc()

    def attempted(self, transport: str, answer: str) -> None:
        """Count it."""
        key = transport, answer
        child = self._answers.get(key)
        if child is None:
            child = self._answers[key] = self._attempts.labels(transport, answer)
        child.inc()

    def waits(self, why: Sequence[str]) -> None:
        """Count them by kind."""
        for reason, mails in Count(why).items():
            self._waits[reason].inc(mails)

    def stage(self, name: str) -> AbstractContextManager[object]:
        """Observe its time."""
        return _Stopwatch(self._stages[name])


class WatcherMetrics(Recorder):
    """What a watcher tells. One that stands by has the figures of nobody: they are 0."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._leader = Gauge(
            "mailtrigger_leader", "1: this watcher leads; 0: it does not.", registry=registry
        )
        self._events = Counter(
            "mailtrigger_stream_events_total",
            "Events of the change stream that were handled.",
            registry=registry,
        )
        self._lag = Gauge(
            "mailtrigger_stream_lag_seconds",
            "Age of the change stream's last event when it was handled; 0 when all are.",
            registry=registry,
        )
        swept = Counter(
            "mailtrigger_swept_mails_total",
            "Mails that a round brought in, and not the stream.",
            ["reason"],
            registry=registry,
        )
        self._swept = {each: swept.labels(each) for each in SWEPT}
        messages = Gauge(
            "mailtrigger_queue_messages",
            "Messages in the broker's queue; each holds up to BATCH_SIZE mails.",
            ["priority"],
            registry=registry,
        )
        oldest = Gauge(
            "mailtrigger_queue_oldest_seconds",
            "Since when the message waits that is next in the broker's queue.",
            ["priority"],
            registry=registry,
        )
        self._messages = {lane.value: messages.labels(lane.value) for lane in Lane}
        self._oldest = {lane.value: oldest.labels(lane.value) for lane in Lane}
        self._circuit = Gauge(
            "mailtrigger_circuit_state",
            "0: a server can be reached; 1: all are away; 2: one is being tried.",
            registry=registry,
        )
        self._backlog = Gauge(
            "mailtrigger_backlog_mails",
            "Documents that are not done. Counting stops at 10000 each.",
            ["state", "priority"],
            registry=registry,
        )
        self._away = Gauge(
            "mailtrigger_transport_away",
            "1: the server of this transport cannot be reached.",
            ["transport"],
            registry=registry,
        )
        self._pauses = Gauge(
            "mailtrigger_paused_domains",
            "Recipient domains that asked for fewer mails and get none for now.",
            registry=registry,
        )
        self._behind = Gauge(
            "mailtrigger_events_behind_seconds",
            "How far the receiver of EVENTS_URL or EVENTS_HANDLER is behind.",
            registry=registry,
        )

    def leads(self, *, leading: bool) -> None:
        """Tell; who does not lead has no figures."""
        self._leader.set(leading)
        if not leading:
            self._lag.set(0)
            self._circuit.set(0)
            self._pauses.set(0)
            self._behind.set(0)
            for gauge in (*self._messages.values(), *self._oldest.values()):
                gauge.set(0)
            self._backlog.clear()
            self._away.clear()

    def stream(self, events: Sequence[Mapping[str, Any]], now: Callable[[], datetime]) -> None:
        """Count them, and tell how old the last one is."""
        if not events:
            self._lag.set(0)
            return
        self._events.inc(len(events))
        happened = events[-1].get("wallTime")
        if isinstance(happened, datetime):
            self._lag.set(_seconds_since(happened, now))

    def swept(self, why: str, mails: int) -> None:
        """Count them."""
        self._swept[why].inc(mails)

    def queue(
        self, lane: str, messages: int, oldest: datetime | None, now: Callable[[], datetime]
    ) -> None:
        """Tell what was read last."""
        self._messages[lane].set(messages)
        self._oldest[lane].set(_seconds_since(oldest, now) if oldest else 0)

    def circuit(self, state: int) -> None:
        """Tell what was read last."""
        self._circuit.set(state)

    def counted(
        self,
        backlog: Mapping[tuple[str, str], int],
        paused_domains: int,
        transports_away: Mapping[str, bool],
    ) -> None:
        """Tell what was counted last."""
        for (state, lane), mails in backlog.items():
            self._backlog.labels(state, lane).set(mails)
        self._pauses.set(paused_domains)
        for name, away in transports_away.items():
            self._away.labels(name).set(away)

    def events_behind(self, seconds: float) -> None:
        """Tell what was read last."""
        self._behind.set(seconds)


def _seconds_in_queue(document: Mapping[str, Any], now: Callable[[], datetime]) -> float | None:
    delivery = document["delivery"]
    if delivery.get("attempts") != 1:
        return None
    times = (delivery.get("startTime"), document.get("sendAt"))
    known = [each for each in times if isinstance(each, datetime)]
    if not known or any(isinstance(each, DatetimeMS) for each in times):
        return None
    return _seconds_since(max(known), now)


def _seconds_since(time_: datetime, now: Callable[[], datetime]) -> float:
    return max((now() - time_).total_seconds(), 0.0)

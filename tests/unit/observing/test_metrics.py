"""What the recorders make of what they are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS
from prometheus_client import CollectorRegistry

from tasks.delivery.states import State
from tasks.errors import MailError, NoConnection, Permanent, Transient, UnknownOutcome
from tasks.lanes import Lane
from tasks.ledger import _OUTCOMES
from tasks.limits import reasons
from tasks.observing.metrics import ANSWERS, OUTCOMES, WAITS, WatcherMetrics, WorkerMetrics
from tasks.observing.recorder import Recorder
from tasks.outcome import Outcome
from tasks.told import _of_error, _of_outcome


NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def _claimed(registry: CollectorRegistry, **document: Any) -> float | None:
    recorder = WorkerMetrics(registry)
    delivery = {"attempts": 1, "startTime": NOW - timedelta(seconds=9)}
    recorder.claimed({"delivery": delivery | document.pop("delivery", {}), **document}, lambda: NOW)
    observed = registry.get_sample_value("mailtrigger_queue_seconds_count")
    return registry.get_sample_value("mailtrigger_queue_seconds_sum") if observed else None


def test_a_mail_waits_from_its_first_pending(registry: CollectorRegistry) -> None:
    """`startTime` is that moment."""
    assert _claimed(registry) == 9


def test_a_planned_mail_waits_from_its_time(registry: CollectorRegistry) -> None:
    """What was wished is no delay."""
    assert _claimed(registry, sendAt=NOW - timedelta(seconds=2)) == 2


@pytest.mark.parametrize(
    "document",
    [
        {"delivery": {"attempts": 2}},
        {"delivery": {"startTime": "yesterday"}},
        {"sendAt": DatetimeMS(2**60)},
    ],
)
def test_what_is_no_wait_is_not_observed(
    registry: CollectorRegistry, document: dict[str, Any]
) -> None:
    """A repeated attempt, and times that are none."""
    assert _claimed(registry, **document) is None


def test_clocks_that_differ_make_no_negative_wait(registry: CollectorRegistry) -> None:
    """It is 0 then."""
    assert _claimed(registry, delivery={"startTime": NOW + timedelta(seconds=1)}) == 0


def test_a_stage_is_timed_when_it_fails_too(registry: CollectorRegistry) -> None:
    """A server that never answers is what one wants to see."""
    recorder = WorkerMetrics(registry)

    with pytest.raises(OSError, match="cut"), recorder.stage("connect"):
        raise OSError("cut")

    assert registry.get_sample_value("mailtrigger_smtp_seconds_count", {"stage": "connect"}) == 1


def test_every_end_of_an_attempt_has_its_outcome() -> None:
    """What a result may say is what the metrics know."""
    assert set(_OUTCOMES) == {State.SUCCESS, State.ERROR, State.PENDING}
    assert {*_OUTCOMES.values(), "in_doubt"} == set(OUTCOMES)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Outcome(("a",)), "accepted"),
        (Outcome(("a",), rejected=("b",)), "partly"),
        (Outcome(("a",), pending=("b",)), "partly"),
        (Outcome((), rejected=("a",)), "refused"),
        (Outcome((), rejected=("a",), pending=("b",)), "deferred"),
        (Permanent("no"), "refused"),
        (Transient("later"), "deferred"),
        (NoConnection("away"), "no_connection"),
        (UnknownOutcome("cut"), "unknown"),
    ],
)
def test_answers_of_servers(answer: Outcome | MailError, expected: str) -> None:
    """Each has one name."""
    said = _of_outcome(answer) if isinstance(answer, Outcome) else _of_error(answer)

    assert said == expected
    assert expected in ANSWERS


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        (reasons.connection("smtp.example.com:25"), "connection"),
        (reasons.pause("gmail.com"), "pause"),
        (reasons.redis(), "redis"),
        ("RATE_LIMIT", "rate_limit"),
        ("RATE_LIMIT_DOMAINS: gmail.com", "rate_limit"),
        ("a turn by RATE_LIMIT", "rate_limit"),
        ("the mail of another document", "other"),
    ],
)
def test_reasons_have_kinds(why: str, expected: str) -> None:
    """A label has few values: no domain is one."""
    assert reasons.kind(why) == expected
    assert expected in WAITS


def test_lag_is_the_age_of_the_last_event(registry: CollectorRegistry) -> None:
    """An idle stream has none."""
    recorder = WatcherMetrics(registry)
    events = [{"wallTime": NOW - timedelta(seconds=age)} for age in (9, 4)]

    recorder.stream(events, lambda: NOW)
    assert registry.get_sample_value("mailtrigger_stream_lag_seconds") == 4
    assert registry.get_sample_value("mailtrigger_stream_events_total") == 2

    recorder.stream([], lambda: NOW)
    assert registry.get_sample_value("mailtrigger_stream_lag_seconds") == 0


def test_who_leads_no_more_shows_no_figures_of_a_leader(registry: CollectorRegistry) -> None:
    """Else the sum over all watchers would count a backlog twice."""
    recorder = WatcherMetrics(registry)
    recorder.leads(leading=True)
    recorder.queue(Lane.HIGH, 3, NOW - timedelta(seconds=5), lambda: NOW)
    recorder.circuit(1)
    recorder.counted({("PENDING", "high"): 7}, 2, {"default": True})
    labels = {"priority": "high"}
    assert registry.get_sample_value("mailtrigger_queue_oldest_seconds", labels) == 5

    recorder.leads(leading=False)

    assert registry.get_sample_value("mailtrigger_queue_messages", labels) == 0
    assert registry.get_sample_value("mailtrigger_circuit_state") == 0
    backlog = {"state": "PENDING", "priority": "high"}
    assert registry.get_sample_value("mailtrigger_backlog_mails", backlog) is None


def test_the_recorder_of_nothing_takes_everything() -> None:
    """Without METRICS_PORT nothing is read of what it is given."""
    recorder = Recorder()

    recorder.batch("high", 1)
    recorder.claimed({}, lambda: NOW)
    recorder.stream([{}], lambda: NOW)

"""Traces of real processes, at a real collector."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.application import Application, eventually
from tests.support.otlp_receiver import OtlpReceiver


@pytest.fixture
def collector() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as running:
        yield running


def test_a_mail_is_one_trace_from_publishing_to_smtp(
    application: Application, collector: OtlpReceiver
) -> None:
    """The task goes on with the trace of whoever published it; the stages of SMTP are below it."""
    # The exporter hands over what it has every so many ms; by default every 5 s.
    application.variables |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    application.watcher()
    application.worker()

    [id] = application.insert(1)
    application.wait_for(id, "SUCCESS")

    eventually("the stages", lambda: collector.named("smtp.data"))
    eventually("the task", lambda: collector.named("run/tasks.send"))
    eventually("its publishing", lambda: collector.named("apply_async/tasks.send"))
    [task], [published] = (collector.named(f"{each}/tasks.send") for each in ("run", "apply_async"))
    assert (published.service, task.service) == ("mailtrigger-watcher", "mailtrigger-worker")
    assert task.trace == published.trace
    assert task.parent == published.id
    for stage in ("connect", "hello", "envelope", "data"):
        [span] = collector.named(f"smtp.{stage}")
        assert span.trace == task.trace
    of_mongodb = [
        span
        for span in collector.spans
        if span.trace == task.trace and "findAndModify" in span.name.replace("find_and", "findAnd")
    ]
    assert of_mongodb


def test_the_missing_packages_are_named(application: Application, tmp_path: Path) -> None:
    """The file to install is in the log; the mail goes out all the same."""
    tmp_path.joinpath("opentelemetry.py").write_text("raise ModuleNotFoundError('not installed')\n")
    application.variables |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
        "PYTHONPATH": str(tmp_path),
    }
    application.watcher()
    application.worker()

    [id] = application.insert(1)
    application.wait_for(id, "SUCCESS")

    logs = application.logs_whole()
    assert logs.count("tracing.not_installed") == 2
    assert "pip install -r requirements-otel.txt" in logs

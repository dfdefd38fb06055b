"""OpenTelemetry: where OTEL_EXPORTER_OTLP_ENDPOINT is set and requirements-otel.txt is installed.

A span for each task, each MongoDB command and each stage of SMTP. The SDK reads its other OTEL_*
variables by itself.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

import structlog

from config.settings import Settings
from tasks.observing.staged import time_with


_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_NAME = "OTEL_SERVICE_NAME"

_log = structlog.get_logger(__name__)


def begin(settings: Settings, role: str) -> None:
    """Trace this process, before it makes a client of MongoDB."""
    endpoint = settings.otel_exporter_otlp_endpoint
    if endpoint is None:
        return
    os.environ.setdefault(_ENDPOINT, endpoint)  # it may stand in .env, which the SDK does not read
    os.environ.setdefault(_NAME, f"mailtrigger-{role}")
    try:
        _instrument()
    except ImportError as error:
        _log.warning(
            "tracing.not_installed", error=str(error), do="pip install -r requirements-otel.txt"
        )
    else:
        _log.info("tracing.begins", endpoint=endpoint)


def _instrument() -> None:
    # Imported where it is wanted: a process without the setting does not pay for it.
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.instrumentation.celery import CeleryInstrumentor  # noqa: PLC0415
    from opentelemetry.instrumentation.pymongo import PymongoInstrumentor  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]
    PymongoInstrumentor().instrument()
    tracer = trace.get_tracer("mailtrigger")

    def stage(name: str) -> AbstractContextManager[object]:
        return tracer.start_as_current_span(f"smtp.{name}")

    time_with(stage)

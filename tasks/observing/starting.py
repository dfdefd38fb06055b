"""Settings → watchdog, recorder and METRICS_PORT, once in each process."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import structlog

from config.settings import Settings
from tasks.observing import http
from tasks.observing.recorder import record_with
from tasks.observing.servers import Servers
from tasks.observing.staged import time_with
from tasks.observing.watchdog import watchdog


if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Role = Literal["worker", "watcher"]

#: Where prometheus_client looks for the figures of several processes.
_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

_log = structlog.get_logger(__name__)


def begin(
    settings: Settings,
    role: Role,
    *,
    hindrance: Callable[[], str | None],
    child: Callable[[], int] | None = None,
) -> None:
    """Watch over this process, and open METRICS_PORT where it is set.

    `hindrance`: why it is not ready, beside servers that are away. `child`: tells children that
    record by themselves apart, each number in use once at a time.
    """
    servers = watch_over(settings)
    if settings.metrics_port is None:
        return

    def health() -> dict[str, object]:
        late = watchdog.late()
        return {"late": late} if late else {}

    def readiness() -> dict[str, object]:
        away, why = servers.away(), hindrance()
        return {**({"away": away} if away else {}), **({role: why} if why else {})}

    metrics = _together(role, child) if child else _alone(role)
    pages = http.Pages(metrics=metrics, health=health, readiness=readiness)
    _open(settings, pages)


def watch_over(settings: Settings) -> Servers:
    """Let the watchdog look at this process; a child that was forked off needs it anew."""
    servers = Servers(settings)
    if settings.watchdog_seconds:
        watchdog.away = servers.away
        watchdog.start()
    return servers


def _open(settings: Settings, pages: http.Pages) -> None:
    """Listen; mail goes out all the same where that cannot be."""
    ports = settings.metrics_port
    assert ports is not None  # noqa: S101 - for mypy: `begin` has asked
    host = settings.metrics_host
    try:
        port = http.serve(host, ports, pages)
    except (http.NoPort, OSError) as error:
        _log.error("metrics.not_served", error=str(error), host=host, port=str(ports))
    else:
        _log.info("metrics.served", host=host, port=port)


def _alone(role: Role) -> Callable[[], http.Page]:
    # Imported where it is wanted: a process without METRICS_PORT does not pay for it.
    from prometheus_client import CollectorRegistry, ProcessCollector  # noqa: PLC0415

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    _record(role, registry)
    return lambda: _page(registry)


def _together(role: Role, child: Callable[[], int]) -> Callable[[], http.Page]:
    """Keep the figures in files of a directory, one set for each child's number."""
    if _DIRECTORY not in os.environ:
        os.environ[_DIRECTORY] = directory = tempfile.mkdtemp(prefix="mailtrigger-metrics-")
        atexit.register(_remove, directory, os.getpid())
    from prometheus_client import CollectorRegistry, ProcessCollector, values  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    values.ValueClass = values.MultiProcessValue(child)  # type: ignore[no-untyped-call]
    _record(role, CollectorRegistry())
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return lambda: _page(registry)


def _record(role: Role, registry: CollectorRegistry) -> None:
    from prometheus_client import disable_created_metrics  # noqa: PLC0415

    from tasks.observing.metrics import WatcherMetrics, WorkerMetrics  # noqa: PLC0415

    disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each
    if role == "watcher":
        record_with(WatcherMetrics(registry))
        return
    metrics = WorkerMetrics(registry)
    record_with(metrics)
    time_with(metrics.stage)


def _page(registry: CollectorRegistry) -> http.Page:
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415

    return CONTENT_TYPE_LATEST, generate_latest(registry)


def _remove(directory: str, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)

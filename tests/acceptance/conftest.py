"""What the commands' tests say before they begin."""

from __future__ import annotations

from tests.support import clients


def pytest_report_header() -> str:
    """Name the example clients that have no toolchain here: nobody shall believe they were run."""
    return clients.report()

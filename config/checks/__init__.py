"""Whether what the settings name is there, and fit for the work: servers and a directory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from config.checks import attachments, broker, dkim, mongodb, smtp
from config.checks.finding import Finding, Level
from config.settings import Settings


__all__ = ["Finding", "Level", "run"]

_CHECKS: tuple[Callable[[Settings], list[Finding]], ...] = (
    mongodb.check,
    broker.check,
    smtp.check,
    dkim.check,
    attachments.check,
)


def run(settings: Settings) -> list[Finding]:
    """Ask the servers, the DNS and the disk at the same time; some 5 s at most each."""
    with ThreadPoolExecutor(len(_CHECKS)) as pool:
        found = pool.map(lambda check: check(settings), _CHECKS)
        return [finding for findings in found for finding in findings]

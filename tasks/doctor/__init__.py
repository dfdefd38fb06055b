"""Whether everything that mails need is there and well: what `python -m tasks doctor` asks.

Nothing is written, every question has a short time-out, and each answer is a Finding. What cannot
be known from here (no rights, no DNS) is told as such, and is no failure.

store      indexes, oplog, leader and stream, MongoDB's clock
broker     queues, workers, Redis' clock
dns        SPF, DMARC and DKIM of the sender's domain
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from config import checks
from config.checks import Finding
from config.settings import Settings
from tasks.doctor import broker, dns, store
from tasks.doctor.broker import Door


__all__ = ["Door", "run"]


def run(
    settings: Settings, door: Door, *, with_dns: bool = True, selectors: Sequence[str] = ()
) -> list[Finding]:
    """Ask all at the same time; some ten seconds at most. `selectors`: DKIM's."""
    asked: list[Callable[[], list[Finding]]] = [
        lambda: checks.run(settings),
        lambda: store.check(settings),
        lambda: broker.check(settings, door),
    ]
    if with_dns:
        asked.append(lambda: dns.check(settings.default_from, selectors))
    with ThreadPoolExecutor(len(asked)) as pool:
        return [finding for found in pool.map(lambda ask: ask(), asked) for finding in found]

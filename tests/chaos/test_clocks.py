"""The wall clocks of the workers' and the watcher's machines are wrong, and jump."""

from __future__ import annotations

import email.utils
import functools
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.processes import Server
from tests.chaos.trial import Trial
from tests.support.application import eventually
from tests.support.machine_clock import MachineClock


WAVE = 200
SETTINGS = {"LEASE_SECONDS": "10", "SWEEP_SECONDS": "0.5", "WORKER_CONCURRENCY": "4"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: How far the watcher's and the worker's clocks are off, one after the other.
JUMPS = [(HOUR, -HOUR), (-DAY, DAY), (DAY, -DAY), (timedelta(0), timedelta(0))]
#: The database server's clock has milliseconds; `Date` has seconds.
SECOND = timedelta(seconds=1)


def test_clocks_that_jump(trial: Trial, tmp_path: Path) -> None:
    """Hours and days, ahead and back, while mails are on their way: every mail is sent once, no
    lease runs out, none is sent before its sendAt or refused by its deliverBefore, and all times
    are those of the database server."""
    application = trial.application
    watcher_clock, worker_clock, late_clock = (
        MachineClock(tmp_path, name) for name in ("watcher", "worker", "late")
    )
    watcher_clock.set_off(DAY)
    late_clock.set_off(-DAY)
    started = datetime.now(UTC)
    watcher = application.watcher(**SETTINGS, **watcher_clock.variables)
    worker = application.worker(**SETTINGS, **worker_clock.variables)
    late = application.worker(**SETTINGS, **late_clock.variables)
    planned = {"sendAt": started + timedelta(seconds=15), "deliverBefore": started + HOUR}
    application.insert_numbered(range(WAVE), **planned)
    for number, (watchers, workers) in enumerate(JUMPS, start=1):
        watcher_clock.set_off(watchers)
        worker_clock.set_off(workers)
        first = number * WAVE
        application.insert_numbered(range(first, first + WAVE), deliverBefore=started + HOUR)
        eventually("it lives by it", functools.partial(_lives_by, worker, workers), 30)

    trial.wait_until_settled()

    ended = datetime.now(UTC)
    assert _days(watcher) & {f"{started + DAY:%F}", f"{ended + DAY:%F}"}
    assert _days(late) <= {f"{started - DAY:%F}", f"{ended - DAY:%F}"}
    whole = (len(JUMPS) + 1) * WAVE
    assert trial.balance("clocks ahead and behind, and jumping").states == {"SUCCESS": whole}
    _check_times(trial, application.mails.find(), started - SECOND, ended + SECOND)


def _check_times(
    trial: Trial, documents: Iterable[dict[str, Any]], earliest: datetime, latest: datetime
) -> None:
    sent = {message.recipients[0]: message for message in trial.sink.messages}
    for document in documents:
        delivery, message = document["delivery"], sent[document["to"]]
        assert earliest <= delivery["startTime"] <= delivery["endTime"] <= latest
        date = re.search(rb"^Date: (.*?)\r\n", message.content, re.MULTILINE)
        assert date is not None
        assert earliest <= email.utils.parsedate_to_datetime(date[1].decode()) <= latest
        if "sendAt" in document:
            assert datetime.fromtimestamp(message.at, UTC) >= document["sendAt"]


def _lives_by(server: Server, off: timedelta) -> bool:
    return f"{datetime.now(UTC) + off:%F}" in _days(server)


def _days(server: Server) -> set[str]:
    """Tell on which days a process believed to be: the dates in its log."""
    lines = server.log.read_text().splitlines()
    return {json.loads(line)["timestamp"][:10] for line in lines if line.startswith("{")}

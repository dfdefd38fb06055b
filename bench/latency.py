"""Insert → accepted, one mail at a time, idle: `python -m bench.latency [MAILS]`."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from typing import Any

import typer
from pymongo.collection import Collection

from bench.stack import mail, stack
from tests.support.sink import Sink


def main(mails: int = 300) -> None:
    """Measure the time from just before insert_one until the SMTP server has the mail."""
    with Sink() as sink, stack(settings={"SMTP_CONNECTION_URI": sink.uri}) as running:
        running.watcher()
        running.worker(0)
        taken = []
        for number in range(mails + 20):
            started = time.perf_counter()
            running.mails.insert_one(mail(number))
            sink.wait(number + 1, 30)
            taken.append((time.perf_counter() - started) * 1000)
            _until_recorded(running.mails, number + 1)
        milliseconds = sorted(taken[20:])
        p50 = statistics.median(milliseconds)
        p99 = milliseconds[int(len(milliseconds) * 0.99)]
        print(
            f"{datetime.now(UTC):%F}: insert → accepted, {mails} mails one at a time:"
            f" p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {milliseconds[-1]:.1f} ms"
        )


def _until_recorded(mails: Collection[dict[str, Any]], count: int) -> None:
    while mails.count_documents({"delivery.state": "SUCCESS"}) < count:
        time.sleep(0.002)


if __name__ == "__main__":
    typer.run(main)

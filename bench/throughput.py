"""Mails a second and CPU a mail, whole pipeline: `python -m bench.throughput --help`.

Inserts mails of 2 KB (text and HTML) while watcher and workers run, and waits until all are done.
CPU time is the processes' own, so that a noisy machine changes the seconds more than the figures.
"""

from __future__ import annotations

import time
from typing import Annotated

import typer

from bench.stack import Stack, mail, stack, wait_for


_CHUNK = 500


def main(  # noqa: PLR0913, PLR0917 - the options of the command
    mails: int = 5000,
    workers: int = 1,
    pool: str = "threads",
    concurrency: int = 32,
    delay_ms: Annotated[int, typer.Option(help="before every SMTP reply")] = 0,
    rounds: int = 1,
    setting: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, of the processes")] = None,
) -> None:
    """Measure the pipeline."""
    settings = {"WORKER_CONCURRENCY": str(concurrency)}
    settings |= dict(each.split("=", 1) for each in setting or [])
    # Settings do not offer gevent; Celery's -P prefork gives way to WORKER_POOL.
    options = ["-P", pool] if pool == "gevent" else []
    if pool != "gevent":
        settings["WORKER_POOL"] = pool
    with stack(delay_ms=delay_ms, settings=settings) as running:
        running.watcher()
        for number in range(workers):
            running.worker(number, *options)
        _insert(running, 50)  # connections made, code warm
        wait_for(running.mails, 50, seconds=60)
        for _ in range(rounds):
            _round(running, mails, f"{workers} x {pool} -c{concurrency} {delay_ms} ms")


def _round(running: Stack, mails: int, title: str) -> None:
    before = running.mails.count_documents({})
    cpu = running.cpu()
    started = time.monotonic()
    _insert(running, mails)
    seconds = wait_for(running.mails, before + mails, seconds=60 + mails / 20) - started
    used = {name: (now - cpu[name]) / mails * 1e6 for name, now in running.cpu().items()}
    sent = running.mails.count_documents({"delivery.state": "SUCCESS"})
    assert sent == before + mails, f"{before + mails - sent} mails failed"
    worker = sum(value for name, value in used.items() if name.startswith("worker"))
    print(
        f"{title}: {mails / seconds:.0f} mails/s; CPU µs a mail:"
        f" worker {worker:.0f}, watcher {used['watcher']:.0f}, mongod {used['mongod']:.0f},"
        f" broker {used['broker']:.0f}, sink {used['sink']:.0f};"
        f" RSS MB: worker {running.memory('worker0') / 1e6:.0f},"
        f" watcher {running.memory('watcher') / 1e6:.0f}"
    )


def _insert(running: Stack, mails: int) -> None:
    for start in range(0, mails, _CHUNK):
        chunk = range(start, min(start + _CHUNK, mails))
        running.mails.insert_many([mail(number) for number in chunk], ordered=False)


if __name__ == "__main__":
    typer.run(main)

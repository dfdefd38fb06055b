"""One worker process to many, measured and on paper: `python -m bench.scaling --help`.

A server that waits before every reply, so that few threads need little of the machine: one process
measured gives the costs of a mail, and `bench.queueing` foretells the others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

import psutil
import typer

from bench.queueing import Answer, Station, solve
from bench.stack import Stack, mail, stack


_CHUNK = 500
_WARM_UP = 200
_LIVE = ("PENDING", "PROCESSING")
_SHARED = "this machine's cores"
_PROCESS = "each worker process"


@dataclass(frozen=True)
class Measured:
    """Seconds of CPU a mail, by process, and mails a second."""

    rate: float
    cpu: dict[str, float]

    @property
    def of_workers(self) -> float:
        """What the workers took together, a mail."""
        return sum(value for name, value in self.cpu.items() if name.startswith("worker"))


def main(
    threads: Annotated[int, typer.Option(help="of each process")] = 8,
    delay_ms: Annotated[int, typer.Option(help="before every SMTP reply")] = 20,
    seconds: Annotated[int, typer.Option(help="about so long each")] = 10,
    claim: Annotated[str, typer.Option(help="each or bulk")] = "bulk",
) -> None:
    """Measure 1, 2, 4 and 8 processes; compare with what one of them foretells."""
    cores = psutil.cpu_count() or 1
    one = _measure(1, threads, delay_ms, int(threads / delay_ms * 1000 * seconds), claim)
    waiting = threads / one.rate - sum(one.cpu.values())
    parts = ", ".join(f"{name} {value * 1e6:.0f}" for name, value in one.cpu.items())
    print(f"{threads} threads a process, {delay_ms} ms a reply, {cores} cores")
    print(f"one process: {one.rate:,.0f} mails/s; CPU µs a mail: {parts}; a mail waits")
    print(f"{waiting * 1000:.1f} ms for the SMTP server and for majority writes")
    print("processes  measured/s  foretold/s  narrowest")
    for processes in (2, 4, 8):
        mails = int(processes * one.rate * seconds)
        measured = _measure(processes, threads, delay_ms, mails, claim)
        answer = foretell(one, processes, threads, waiting, cores)
        share = f"{answer.narrowest}, {answer.busy[answer.narrowest]:.0%} busy"
        print(f"{processes:9}  {measured.rate:10,.0f}  {answer.rate:10,.0f}  {share}")


def foretell(one: Measured, processes: int, threads: int, waiting: float, cores: int) -> Answer:
    """Say how fast so many processes are, all on one machine.

    `waiting`: seconds in which a mail needs no processor.
    """
    stations = [
        Station(_SHARED, sum(one.cpu.values()), cores),
        Station(_PROCESS, one.of_workers, copies=processes),
    ]
    return solve(stations, threads=processes * threads, waiting=waiting)


def _measure(processes: int, threads: int, delay_ms: int, mails: int, claim: str) -> Measured:
    settings = {"WORKER_CONCURRENCY": str(threads), "CLAIM": claim}
    with stack(delay_ms=delay_ms, settings=settings) as running:
        running.watcher()
        for number in range(processes):
            running.worker(number)
        _insert(running, _WARM_UP)
        _until_done(running)
        for number in range(processes):
            psutil.Process(running.servers[f"worker{number}"].pid).suspend()
        _insert(running, mails)
        _until_admitted(running, mails)
        before, started = running.cpu(), time.monotonic()
        for number in range(processes):
            psutil.Process(running.servers[f"worker{number}"].pid).resume()
        _until_done(running)
        seconds = time.monotonic() - started
        used = {name: (now - before[name]) / mails for name, now in running.cpu().items()}
        sent = running.mails.count_documents({"delivery.state": "SUCCESS"})
        assert sent == mails + _WARM_UP, f"{mails + _WARM_UP - sent} mails failed"
        return Measured(mails / seconds, used)


def _insert(running: Stack, mails: int) -> None:
    for start in range(0, mails, _CHUNK):
        chunk = range(start, min(start + _CHUNK, mails))
        running.mails.insert_many([mail(number) for number in chunk], ordered=False)


def _until_admitted(running: Stack, mails: int) -> None:
    waiting = {"delivery.state": "PENDING", "delivery.enqueueTime": {"$type": "date"}}
    end = time.monotonic() + 60
    while running.mails.count_documents(waiting) < mails:
        if time.monotonic() > end:
            raise TimeoutError("the watcher has not enqueued all mails")
        time.sleep(0.2)


def _until_done(running: Stack) -> None:
    """Ask for the few that are left, by the index: counting the many would cost the primary."""
    end = time.monotonic() + 300
    new = {"delivery": None}
    live = [new, *({"delivery.state": state} for state in _LIVE)]
    while any(running.mails.find_one(query, {"_id": 1}) for query in live):
        if time.monotonic() > end:
            raise TimeoutError("the mails are not done")
        time.sleep(0.05)


if __name__ == "__main__":
    typer.run(main)

"""Mails against a rate limit, counted at the server: `python -m bench.limits --help`.

Says how much of the limit was used, the shortest time in which one mail more than it went out, how
soon mails of high priority came through the backlog, and the CPU a mail has cost.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Annotated

import typer

from bench.stack import Stack, mail, stack
from config import rates
from config.rates import Rate
from local import ports


_CHUNK = 500


class _Sink:
    """An SMTP server that notes when it took which recipient's mail."""

    def __init__(self, delay: float) -> None:
        self.port = ports.free()
        self.taken: list[tuple[float, str]] = []
        self._delay = delay
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._converse, "127.0.0.1", self.port, limit=2**24)
        await server.serve_forever()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient = ""
        await self._say(writer, b"220 sink ESMTP")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"QUIT":
                break
            if verb == b"RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
            if verb == b"EHLO":
                await self._say(writer, b"250-sink\r\n250 8BITMIME")
            elif verb == b"DATA":
                await self._say(writer, b"354 go on")
                await reader.readuntil(b"\r\n.\r\n")
                self.taken.append((time.monotonic(), recipient))
                await self._say(writer, b"250 ok")
            else:
                await self._say(writer, b"250 ok")
        writer.close()

    async def _say(self, writer: asyncio.StreamWriter, reply: bytes) -> None:
        if self._delay:
            await asyncio.sleep(self._delay)
        writer.write(reply + b"\r\n")
        await writer.drain()


def main(
    rate: Annotated[str, typer.Option(help="RATE_LIMIT")] = "14/second",
    seconds: int = 60,
    workers: int = 4,
    concurrency: int = 8,
    delay_ms: Annotated[int, typer.Option(help="before every SMTP reply")] = 0,
) -> None:
    """Insert twice as many mails as the limit lets out, and watch."""
    limit = rates.parse(rate)
    sink = _Sink(delay_ms / 1000)
    settings = {
        "RATE_LIMIT": rate,
        "WORKER_CONCURRENCY": str(concurrency),
        "SMTP_CONNECTION_URI": f"smtp://127.0.0.1:{sink.port}",
    }
    with stack(settings=settings) as running:
        running.watcher()
        for number in range(workers):
            running.worker(number)
        mails = int(limit.count * (seconds / limit.seconds + 1) * 2)
        for start in range(0, mails, _CHUNK):
            chunk = range(start, min(start + _CHUNK, mails))
            running.mails.insert_many([mail(number) for number in chunk], ordered=False)
        _watch(running, sink, limit, seconds)


def _watch(running: Stack, sink: _Sink, limit: Rate, seconds: int) -> None:
    while len(sink.taken) <= limit.count:  # the first window may go out at once
        time.sleep(0.01)
    cpu, before, started = running.cpu(), len(sink.taken), time.monotonic()
    high: list[tuple[float, str]] = []
    while time.monotonic() < started + seconds:
        time.sleep(2)
        high.append((time.monotonic(), f"high{len(high)}@example.com"))
        document = {**mail(0), "to": high[-1][1], "priority": "high"}
        running.mails.insert_one(document)
    sent, took = len(sink.taken) - before, time.monotonic() - started
    used = {name: (now - cpu[name]) / sent * 1e6 for name, now in running.cpu().items()}
    times = sorted(at for at, _ in sink.taken)
    shortest = min(times[n + limit.count] - times[n] for n in range(len(times) - limit.count))
    came = {recipient: at for at, recipient in sink.taken}
    waits = sorted(came[to] - at for at, to in high if to in came)
    worker = sum(value for name, value in used.items() if name.startswith("worker"))
    print(
        f"{limit}: {sent} mails in {took:.1f} s, {sent / took / limit.count * limit.seconds:.1%} of"
        f" the limit; shortest time for {limit.count + 1} mails {shortest:.3f} s;"
        f" high priority came after {waits[len(waits) // 2]:.2f} s (median),"
        f" {waits[-1]:.2f} s (at most);"
        f" CPU µs a mail: worker {worker:.0f}, watcher {used['watcher']:.0f},"
        f" mongod {used['mongod']:.0f}, broker {used['broker']:.0f}"
    )


if __name__ == "__main__":
    typer.run(main)

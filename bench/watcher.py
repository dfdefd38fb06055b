"""How fast one watcher enqueues: `python -m bench.watcher [--mails N]`.

The watcher is paused while the mails are inserted; measured is what it needs to drain its change
stream: PENDING written, ids published, token saved. No worker runs. CPU time is the processes' own.
"""

from __future__ import annotations

import base64
import json
import signal
import time
from datetime import UTC, datetime

import redis
import typer

from bench.stack import Stack, mail, stack
from tasks.lanes import Lane


_CHUNK = 1000
_DEADLINE = 120.0
#: The servers' own stack has an SMTP sink; this one needs no Postfix, and gets no mail.
_ANY_DELAY_MS = 1


def main(mails: int = 20_000, rounds: int = 3, batch_size: int = 50) -> None:
    """Measure it."""
    settings = {"BATCH_SIZE": str(batch_size), "QUEUE_LIMIT": str(10**9), "LOG_LEVEL": "WARNING"}
    with stack(delay_ms=_ANY_DELAY_MS, settings=settings) as running:
        running.watcher(LOG_LEVEL="INFO")
        with redis.Redis.from_url(running.environment["CELERY_BROKER_URL"]) as queue:
            for _ in range(rounds):
                _round(running, queue, mails)


def _round(running: Stack, queue: redis.Redis, mails: int) -> None:
    queue.delete(_key())
    running.mails.delete_many({})
    _until_enqueued(running, queue, [mail(0)])
    watcher = running.servers["watcher"]
    watcher.signal(signal.SIGSTOP)
    documents = [mail(number) for number in range(mails)]
    for start in range(0, mails, _CHUNK):
        running.mails.insert_many(documents[start : start + _CHUNK])
    cpu = running.cpu()
    started = time.monotonic()
    watcher.signal(signal.SIGCONT)
    seconds = _until(running, queue, mails + 1) - started
    used = {name: (now - cpu[name]) / mails * 1e6 for name, now in running.cpu().items()}
    print(
        f"{datetime.now(UTC):%F}: {mails} mails: {mails / seconds:.0f}/s; CPU µs a mail:"
        f" watcher {used['watcher']:.0f}, mongod {used['mongod']:.0f}, broker {used['broker']:.0f};"
        f" ids a message {mails / int(queue.llen(_key())):.0f};"
        f" RSS MB: watcher {running.memory('watcher') / 1e6:.0f}"
    )


def _until_enqueued(running: Stack, queue: redis.Redis, documents: list[dict[str, object]]) -> None:
    running.mails.insert_many(documents)
    _until(running, queue, len(documents))


def _until(running: Stack, queue: redis.Redis, count: int) -> float:
    """Wait until every id waits in the queue, once; return time.monotonic() then."""
    end = time.monotonic() + _DEADLINE
    waiting = {"delivery.state": None}
    while running.mails.find_one(waiting, {"_id": 1}, hint="mailtrigger_waiting"):
        if time.monotonic() > end:
            raise TimeoutError(f"{running.mails.count_documents(waiting)} of {count} left")
        time.sleep(0.02)
    while (done := time.monotonic()) < end:
        ids = _ids(queue)
        if len(ids) >= count:
            assert len(ids) == len(set(ids)) == count, "an id was enqueued twice"
            return done
        time.sleep(0.01)
    raise TimeoutError(f"{len(_ids(queue))} of {count} enqueued")


def _ids(queue: redis.Redis) -> list[str]:
    found = []
    for message in queue.lrange(_key(), 0, -1):
        args, _, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
        found += [id["$oid"] for id in args[0]]
    return found


def _key() -> str:
    return f"mailtrigger:{Lane.NORMAL.queue}"


if __name__ == "__main__":
    typer.run(main)

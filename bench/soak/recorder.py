"""A thread that looks at all processes and queues, again and again."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import psutil
import redis

from bench.soak.figures import Sample
from bench.stack import Stack
from tasks.lanes import Lane


_PREFIX = "mailtrigger:"
#: Seconds.
_EVERY = 1.0


class Recorder:
    """Samples until `close`; a process that has ended keeps the CPU it had used when last seen."""

    def __init__(
        self, running: Stack, count: Callable[[], int], *, batch_size: int, queue_limit: int
    ) -> None:
        self.samples: list[Sample] = []
        self.failure: Exception | None = None
        self._running = running
        self._count = count
        self._batch_size = batch_size
        self._queue_limit = queue_limit
        self._cpu: dict[str, float] = {}
        self._broker = redis.Redis.from_url(running.environment["CELERY_BROKER_URL"])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._broker.close()

    @property
    def last(self) -> Sample:
        """The newest sample."""
        if self.failure is not None:
            raise self.failure
        return self.samples[-1] if self.samples else self._look()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.samples.append(self._look())
            except Exception as error:  # noqa: BLE001 - raised again in the main thread
                self.failure = error
                return
            self._stop.wait(_EVERY)

    def _look(self) -> Sample:
        memory: dict[str, int] = {}
        for name, server in list(self._running.servers.items()):
            try:
                process = psutil.Process(server.pid)
                with process.oneshot():
                    if process.status() == psutil.STATUS_ZOMBIE:
                        continue
                    times = process.cpu_times()
                    self._cpu[name] = times.user + times.system
                    memory[name] = process.memory_info().rss
            except psutil.NoSuchProcess:
                continue  # killed: that is part of the story
        cpu: dict[str, float] = {}
        for name, seconds in self._cpu.items():
            cpu[role(name)] = cpu.get(role(name), 0.0) + seconds
        queued = {lane.value: self._ids(f"{_PREFIX}{lane.queue}") for lane in Lane}
        used = int(self._broker.info("memory")["used_memory"])
        machine = psutil.cpu_times()
        busy = sum(machine) - machine.idle - machine.iowait
        return Sample(time.monotonic(), self._count(), busy, cpu, memory, queued, used)

    def _ids(self, queue: str) -> int:
        """Count the ids that wait: at most so many, and exactly when that could be too many."""
        most = int(self._broker.llen(queue)) * self._batch_size
        if most <= self._queue_limit:
            return most
        messages: list[Any] = self._broker.lrange(queue, 0, -1)
        return sum(map(_ids, messages))


def role(name: str) -> str:
    """Strip the number: worker0 … worker3 are the worker, watcher1 and watcher2 the watcher."""
    return name.rstrip("0123456789")


def _ids(message: Any) -> int:
    args, _, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
    return len(args[0])

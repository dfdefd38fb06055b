"""One Celery task a mail, on the same stores: bench/peers/celery_task."""

from __future__ import annotations

import sys

from bench.contenders.base import Guarantees, MongoContender


_PACKAGE = "bench.peers.celery_task"


class CeleryTask(MongoContender):
    """As a good engineer would write it by hand."""

    name = "celery-task"
    title = "one Celery task a mail"
    guarantees = Guarantees(
        lease="each document",
        crash="sent again after the lease: some twice; a message the broker lost: never sent",
        outcome="each recipient, in the document",
    )

    def start(self, *, slow: bool) -> None:
        self.running.start("relay", [sys.executable, "-m", f"{_PACKAGE}.relay"], "relay ready")
        self.start_workers(slow=slow)

    def workers(self) -> list[str]:
        return ["worker0", "worker1"]

    def start_workers(self, *, slow: bool) -> None:
        threads = "64" if slow else "8"
        options = ["-P", "threads", "-c", threads, "--without-gossip", "--without-mingle"]
        for name in self.workers():
            command = [sys.executable, "-m", "celery", "-A", f"{_PACKAGE}.tasks", "worker"]
            self.running.start(name, [*command, *options, "-n", f"{name}@%h"], "ready.")

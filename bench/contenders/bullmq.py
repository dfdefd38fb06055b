"""MongoDB change stream → BullMQ → nodemailer's pool, on Node: bench/peers/bullmq."""

from __future__ import annotations

from bench.contenders.base import Guarantees, MongoContender
from bench.peers import install


class BullMq(MongoContender):
    """Two worker processes, one for each core."""

    name = "bullmq"
    title = "BullMQ + nodemailer"
    guarantees = Guarantees(
        lease="each document",
        crash="sent again after the lease: some twice",
        outcome="each recipient, in the document",
    )

    @classmethod
    def install(cls) -> None:
        install.node("bullmq")

    def prepare(self) -> None:
        self.running.environment["NODE_PATH"] = str(install.node("bullmq"))

    def start(self, *, slow: bool) -> None:
        self.running.start("relay", ["node", str(install.HERE / "bullmq/relay.js")], "relay ready")
        self.start_workers(slow=slow)

    def workers(self) -> list[str]:
        return ["worker0", "worker1"]

    def start_workers(self, *, slow: bool) -> None:
        command = ["node", str(install.HERE / "bullmq/worker.js")]
        for name in self.workers():
            self.running.start(name, command, "ready.", BENCH_CONCURRENCY="64" if slow else "25")

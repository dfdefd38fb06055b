"""ZoneMTA: a mail server that takes mails over SMTP and keeps its queue in MongoDB."""

from __future__ import annotations

import json
import smtplib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from bench.contenders.base import Books, Contender, Guarantees
from bench.peers import install
from bench.stack import mail
from local import ports


#: Connections over which it is given mails: it stores a mail before it answers.
_HANDS = 8


class ZoneMta(Contender):
    """Two sender processes; it takes mails while it sends, so its figures hold both."""

    name = "zonemta"
    title = "ZoneMTA, taking mails included"
    guarantees = Guarantees(
        lease="each recipient, by the master process",
        crash="sent again at the restart: some twice",
        outcome="none kept: done mails leave the queue, failures bounce",
    )
    can_pause = False

    @classmethod
    def install(cls) -> None:
        install.node("zonemta")

    def prepare(self) -> None:
        self._program = install.node("zonemta") / "zone-mta" / "app.js"
        self._port, self._given = ports.free(), 0
        self._queue = self.running.mails.database.client["zone-mta"]["zone-queue"]

    def start(self, *, slow: bool) -> None:
        self.start_workers(slow=slow)

    def workers(self) -> list[str]:
        return ["zone-mta"]

    def start_workers(self, *, slow: bool) -> None:
        file = self.running.directory / "zone-mta.json"
        file.write_text(json.dumps(self._configuration(connections=64 if slow else 20)))
        command = ["node", str(self._program), f"--config={file}"]
        self.running.start_in(
            self._program.parent, "zone-mta", command, "Sending queue initialized"
        )

    def insert(self, numbers: Sequence[int]) -> float:
        started = time.process_time()
        parts = [numbers[start::_HANDS] for start in range(min(_HANDS, len(numbers)))]
        with ThreadPoolExecutor(_HANDS) as hands:
            list(hands.map(self._give, parts))
        self._given += len(numbers)
        return time.process_time() - started

    def books(self) -> Books:
        return Books(sent=self._given - self._queue.count_documents({}), failed=0)

    def _give(self, numbers: Sequence[int]) -> None:
        with smtplib.SMTP("127.0.0.1", self._port, timeout=60) as server:
            for number in numbers:
                server.send_message(_message(number))

    def _configuration(self, *, connections: int) -> dict[str, Any]:
        environment = self.running.environment
        sink, redis = urlsplit(environment["SMTP_CONNECTION_URI"]), environment["CELERY_BROKER_URL"]
        zone = {
            "host": sink.hostname,
            "port": sink.port,
            "processes": 2,
            "connections": connections,
            "connectionCache": {"ttl": 30, "reuseCount": 1000},
        }
        mongo = environment["MONGODB_URI"].replace("/?", "/zone-mta?")
        return {
            "dbs": {
                "mongo": mongo,
                "redis": {"host": "127.0.0.1", "port": urlsplit(redis).port, "db": 3},
            },
            "smtpInterfaces": {"feeder": {"port": self._port}},
            "api": {"port": ports.free()},
            "queueServer": {"port": ports.free()},
            "mtaSts": {"enabled": False},
            "log": {"level": "info"},
            "zones": {"default": zone},
            # By name: the code does not read the documented `default`. At 5 connections, its own
            # default, a burst to one domain moves 5 mails every 5 seconds.
            "domainConfig": {"example.com": {"maxConnections": 10_000}},
        }


def _message(number: int) -> EmailMessage:
    fields = mail(number)
    message = EmailMessage()
    message["From"] = "Bench <bench@example.com>"
    message["To"] = fields["to"]
    message["Subject"] = fields["message"]["subject"]
    message.set_content(fields["message"]["text"])
    message.add_alternative(fields["message"]["html"], subtype="html")
    return message

"""The real processes, as the Procfile starts them, on a test's own database and key prefix."""

from __future__ import annotations

import os
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import redis
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from config.settings import Settings
from local.processes import Server
from tasks.lanes import Lane


ROOT = Path(__file__).parents[2]
_POLL = 0.005

T = TypeVar("T")


def eventually(what: str, check: Callable[[], T], seconds: float = 15) -> T:
    """Return the first truthy value of `check`; raise TimeoutError naming what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s; last seen: {value!r}")
        time.sleep(_POLL)


@contextmanager
def for_a_module(
    smtp_uri: str,
    mongodb_uri: str,
    broker_url: str,
    client: MongoClient[dict[str, Any]],
    directory: Path,
    **variables: str,
) -> Iterator[Application]:
    """Run one watcher and one worker for all tests of a file, on a database of their own."""
    name = f"test_{uuid.uuid4().hex}"
    settings = Settings(
        _env_file=None,
        mongodb_uri=SecretStr(mongodb_uri),
        mongodb_database=name,
        celery_broker_url=SecretStr(broker_url),
        broker_prefix=f"{name}:",
        smtp_connection_uri=SecretStr(smtp_uri),
        default_from="Mailtrigger <sender@example.com>",
    )
    with Application(settings, client[name], directory) as ours:
        ours.variables.update(variables)
        ours.watcher()
        ours.worker()
        yield ours
    client.drop_database(name)


class Application:
    """Watchers and workers of one test; all of them are ended when its `with` block ends."""

    def __init__(
        self, settings: Settings, database: Database[dict[str, Any]], directory: Path
    ) -> None:
        self.settings = settings
        self.mails: Collection[dict[str, Any]] = database[settings.mail_collection]
        self.redis = redis.Redis.from_url(settings.celery_broker_url.get_secret_value())
        self.variables: dict[str, str] = {}
        self._directory = directory
        self._servers: list[Server] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.kill()
        self.redis.close()

    @property
    def environment(self) -> dict[str, str]:
        """What the processes find in their environment."""
        values = {
            "MONGODB_URI": self.settings.mongodb_uri.get_secret_value(),
            "MONGODB_DATABASE": self.mails.database.name,
            "MAIL_COLLECTION": self.mails.name,
            "CELERY_BROKER_URL": self.settings.celery_broker_url.get_secret_value(),
            "BROKER_PREFIX": self.settings.broker_prefix,
            "SMTP_CONNECTION_URI": self.settings.smtp_connection_uri.get_secret_value(),
            "DEFAULT_FROM": self.settings.default_from,
            "LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **values, **self.variables}

    def use_broker(self, url: str) -> None:
        """Let the processes that are started from now on use this broker."""
        self.settings = self.settings.model_copy(update={"celery_broker_url": SecretStr(url)})
        self.redis.close()
        self.redis = redis.Redis.from_url(url)

    def watcher(self, **variables: str) -> Server:
        """Start a watcher; returns when it stands by or leads."""
        command = [sys.executable, "-m", "watcher"]
        return self._start("watcher", command, r"watcher\.(leads|stands_by)", variables)

    def worker(self, *options: str, **variables: str) -> Server:
        """Start a worker; returns when it is ready for tasks."""
        command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", *options]
        command += ["--without-gossip", "--without-mingle", "-n", f"worker{len(self._servers)}@%h"]
        return self._start("worker", command, r"ready\.", variables)

    def insert(self, count: int = 1, **fields: Any) -> list[Any]:
        """Insert mails; return their ids."""
        return self.insert_numbered(range(count), **fields)

    def insert_numbered(self, numbers: Iterable[int], **fields: Any) -> list[Any]:
        """Insert mails, each with its number in the recipient; return their ids."""
        documents = [mail(number, **fields) for number in numbers]
        return list(self.mails.insert_many(documents).inserted_ids)

    def delivery(self, id: Any) -> dict[str, Any]:
        """Read a mail's `delivery`; empty when it has none."""
        document = self.mails.find_one({"_id": id}, {"delivery": 1}) or {}
        delivery: dict[str, Any] = document.get("delivery") or {}
        return delivery

    def wait_for(self, id: Any, *states: str, seconds: float = 15) -> dict[str, Any]:
        """Wait until a mail has one of the states; return its `delivery`."""

        def reached() -> dict[str, Any] | None:
            delivery = self.delivery(id)
            return delivery if delivery.get("state") in states else None

        try:
            return eventually(f"{id} becomes {states}", reached, seconds) or {}
        except TimeoutError as error:
            raise TimeoutError(f"{error}; now: {self.delivery(id)}\n{self.logs()}") from None

    def wait_for_all(self, state: str, count: int, seconds: float = 30) -> None:
        """Wait until that many mails have a state."""
        query = {"delivery.state": state}
        try:
            eventually(
                f"{count} mails {state}",
                lambda: self.mails.count_documents(query) >= count,
                seconds,
            )
        except TimeoutError as error:
            raise TimeoutError(f"{error}; now: {self.states()}\n{self.logs()}") from None

    def states(self) -> dict[str, int]:
        """Count the mails by state."""
        groups = self.mails.aggregate([{"$group": {"_id": "$delivery.state", "n": {"$sum": 1}}}])
        return {str(group["_id"]): group["n"] for group in groups}

    def queued(self, lane: Lane = Lane.NORMAL) -> int:
        """Count the messages in a lane's queue."""
        return int(self.redis.llen(f"{self.settings.broker_prefix}{lane.queue}"))

    def logs(self) -> str:
        """Quote the ends of all logs."""
        return "\n".join(f"{server.name}:\n{server.last_lines(20)}" for server in self._servers)

    def logs_whole(self) -> str:
        """Give everything that was logged."""
        return "".join(server.log.read_text(errors="replace") for server in self._servers)

    def _start(
        self, name: str, command: list[str], ready: str, variables: dict[str, str]
    ) -> Server:
        log = self._directory / f"{name}-{len(self._servers)}.log"
        pattern = re.compile(ready)
        server = Server(
            name=name,
            command=command,
            log=log,
            ready=lambda _pid: bool(log.exists() and pattern.search(log.read_text())),
            environment={**self.environment, **variables},
            directory=ROOT,
        )
        self._servers.append(server)
        server.start()
        return server


def mail(number: int = 0, **fields: Any) -> dict[str, Any]:
    """Make a mail document that a service would insert."""
    return {
        "to": f"recipient{number}@example.com",
        "message": {"subject": f"Mail {number}", "text": f"This is mail {number}."},
        **fields,
    }

"""The steps of a mail's way, twice: as ours are, and as the least call of the same effect."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any, ClassVar, Self, TypeVar

import redis
from bson.timestamp import Timestamp
from pymongo import ReturnDocument, UpdateOne, WriteConcern

from bench.bare_smtp import BareSession
from bench.stopwatch import BARE, OURS
from config import mongo
from config.mongo import Document
from config.settings import Settings
from tasks import enqueue
from tasks.clock import ServerClock
from tasks.delivery import results
from tasks.delivery.admit import Admission
from tasks.delivery.candidate import Candidate
from tasks.delivery.claim import Claim, Claims
from tasks.delivery.writer import ResultWriter
from tasks.envelope import Mail
from tasks.lanes import Lane
from tasks.mail import Defaults, compose
from tasks.outcome import Outcome
from tasks.transport import SmtpTransport
from watcher.stream import Stream


#: Mails that pass the point of no return together, and ids in a message.
_GROUP, _IDS = 25, 10
_SECONDS = 60

T = TypeVar("T")


class Side(ABC):
    """One way of doing every step, in this order, with the same mails."""

    name: ClassVar[str]

    def __init__(self, settings: Settings) -> None:
        self.exits = ExitStack()
        client = self.exits.enter_context(mongo.connect(settings, retry_writes=False))
        self.mails = mongo.mail_collection(client, settings)
        self.now = ServerClock(client)
        self.ids: list[Any] = []
        self.published: list[Any] = []
        self.start = Timestamp(0, 0)
        self.events = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.exits.close()

    def take(self, inserted: Sequence[Any], mails: int, start: Timestamp, publish: int) -> None:
        """Be given documents that were inserted after `start`; the first `mails` are sent.

        `publish`: how often each of those is put into the queue.
        """
        self.ids, self.start, self.events = list(inserted[:mails]), start, len(inserted)
        self.published = self.ids * publish

    @abstractmethod
    def stream(self) -> None:
        """Read as many inserts since `start` from a change stream."""

    @abstractmethod
    def admit(self) -> None:
        """Write PENDING into all."""

    @abstractmethod
    def publish(self) -> None:
        """Put the ids into the queue."""

    @abstractmethod
    def claim(self) -> None:
        """Take a lease of each."""

    @abstractmethod
    def compose(self) -> None:
        """Make MIME of each."""

    @abstractmethod
    def begin(self) -> None:
        """Mark them as being sent, by groups."""

    @abstractmethod
    def submit(self) -> None:
        """Send each."""

    @abstractmethod
    def record(self) -> None:
        """Write the outcomes, by groups."""

    def finish(self) -> None:  # noqa: B027 - only ours has something left
        """End what is not part of the steps."""


class Ours(Side):
    """Our own code, as watcher and worker call it."""

    name = OURS

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        loosely = self.mails.with_options(write_concern=WriteConcern(w=1))
        self._admission = Admission(loosely, self.now, None)
        self._claims = Claims(self.mails, self.now, _SECONDS)
        self._writer = ResultWriter(self.mails, self.now, None)
        self._defaults = Defaults(settings.default_from, None, self.mails.full_name)
        transport = SmtpTransport(
            settings.smtp_server,
            settings.tls_options,
            reply_timeout=20,
            idle_seconds=_SECONDS,
            max_messages=10**9,
        )
        self.exits.callback(transport.close)
        self._session = self.exits.enter_context(transport.session(_deadline()))
        self._claimed: list[Claim] = []
        self._composed: list[Mail] = []
        self._outcomes: list[Outcome] = []
        self._stream: Stream | None = None

    def stream(self) -> None:
        self._stream = Stream(self.mails, token=None, start=self.start)
        found = 0
        while found < self.events:
            found += len(self._stream.take(self.events - found, wait=1, linger=0).events)

    def finish(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def admit(self) -> None:
        candidates = [Candidate(id, "missing") for id in self.ids]
        self._admission.admit(candidates, self.now())

    def publish(self) -> None:
        enqueue.enqueue([(Lane.NORMAL, ids) for ids in _cut(self.published, _IDS)], self.now())

    def claim(self) -> None:
        claims = [self._claims.claim(id, "steps") for id in self.ids]
        self._claimed = [claim for claim in claims if claim is not None]
        assert len(self._claimed) == len(self.ids)

    def compose(self) -> None:
        self._composed = [
            compose(claim.document, self._defaults, now=self.now()) for claim in self._claimed
        ]

    def begin(self) -> None:
        for claims in _cut(self._claimed, _GROUP):
            assert len(self._claims.begin_sending(claims)) == len(claims)

    def submit(self) -> None:
        deadline = _deadline()
        self._outcomes = [self._session.submit(each, deadline=deadline) for each in self._composed]

    def record(self) -> None:
        ended = zip(self._claimed, self._composed, self._outcomes, strict=True)
        for group in _cut([results.of_outcome(*each) for each in ended], _GROUP):
            for written in [self._writer.put(result) for result in group]:
                written.wait()


class Bare(Side):
    """pymongo, redis-py, the email package and a socket, called as plainly as can be."""

    name = BARE
    _INSERTED: ClassVar[list[Document]] = [
        {"$match": {"operationType": "insert"}},
        {"$project": {"documentKey": 1}},
    ]

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._cheap = self.mails.with_options(write_concern=WriteConcern(w=1))
        url = settings.celery_broker_url.get_secret_value()
        self._queue = self.exits.enter_context(redis.Redis.from_url(url))
        server = settings.smtp_server
        self._session = self.exits.enter_context(BareSession(server.host, server.port))
        self._documents: list[Document] = []
        self._composed: list[bytes] = []

    def stream(self) -> None:
        with self.mails.watch(
            self._INSERTED, start_at_operation_time=self.start, batch_size=1000
        ) as events:
            for _ in range(self.events):
                events.next()

    def admit(self) -> None:
        delivery = {"state": "PENDING", "startTime": datetime.now(UTC), "attempts": 0}
        self._cheap.update_many({"_id": {"$in": self.ids}}, {"$set": {"delivery": delivery}})

    def publish(self) -> None:
        with self._queue.pipeline(transaction=False) as pipeline:
            for ids in _cut(self.published, _IDS):
                pipeline.lpush("bare", json.dumps([str(id) for id in ids]))
            pipeline.execute()

    def claim(self) -> None:
        lease = datetime.now(UTC) + timedelta(seconds=_SECONDS)
        changes = {"delivery.state": "PROCESSING", "delivery.leaseExpireTime": lease}
        found = [
            self._cheap.find_one_and_update(
                {"_id": id, "delivery.state": "PENDING"},
                {"$set": changes},
                return_document=ReturnDocument.AFTER,
            )
            for id in self.ids
        ]
        self._documents = [document for document in found if document is not None]
        assert len(self._documents) == len(self.ids)

    def compose(self) -> None:
        self._composed = [_composed(document) for document in self._documents]

    def begin(self) -> None:
        for ids in _cut(self.ids, _GROUP):
            self.mails.update_many(
                {"_id": {"$in": ids}, "delivery.state": "PROCESSING"},
                {"$set": {"delivery.phase": "SENDING"}},
            )

    def submit(self) -> None:
        for document, content in zip(self._documents, self._composed, strict=True):
            self._session.submit(document["to"], content)

    def record(self) -> None:
        outcome = {"delivery.state": "SUCCESS", "delivery.endTime": datetime.now(UTC)}
        for ids in _cut(self.ids, _GROUP):
            updates = [
                UpdateOne({"_id": id, "delivery.state": "PROCESSING"}, {"$set": outcome})
                for id in ids
            ]
            self.mails.bulk_write(updates, ordered=False)


def _composed(document: Document) -> bytes:
    message = document["message"]
    mail = MIMEMultipart("alternative")
    mail["From"] = "Bench <bench@example.com>"
    mail["To"] = document["to"]
    mail["Subject"] = message["subject"]
    mail.attach(MIMEText(message["text"], "plain", "us-ascii"))
    mail.attach(MIMEText(message["html"], "html", "us-ascii"))
    return mail.as_bytes().replace(b"\n", b"\r\n")


def _cut(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def _deadline() -> float:
    return time.monotonic() + 10 * _SECONDS

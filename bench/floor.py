"""The floor: claim, SMTP, result, by a pool of threads: `python -m bench.floor THREADS [grouped]`.

No broker, no watcher, no second chance: what three steps cost by themselves, with our own parts for
MIME and SMTP. Each write is a majority write; `grouped`: with the economies of our worker, claims
with w:1, one majority write before a group is sent and one for its results.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pymongo import MongoClient, ReturnDocument, UpdateOne, WriteConcern
from pymongo.collection import Collection

from config import mongo
from config.mongo import Document
from config.settings import Settings, load_or_exit
from tasks.delivery import indexes
from tasks.envelope import Mail
from tasks.mail import Defaults, compose
from tasks.outcome import Outcome
from tasks.transport import Session, SmtpTransport


GROUP = 25
_LEASE = timedelta(seconds=60)
_POLL_SECONDS = 0.005


class Floor:
    """What the threads share."""

    def __init__(self, settings: Settings, client: MongoClient[Document]) -> None:
        self._mails: Collection[Document] = mongo.mail_collection(client, settings)
        self._cheap = self._mails.with_options(write_concern=WriteConcern(w=1))
        self._defaults = Defaults(settings.default_from, None, namespace=self._mails.full_name)
        self._transport = SmtpTransport(
            settings.smtp_server,
            settings.tls_options,
            reply_timeout=settings.smtp_timeout_seconds,
            idle_seconds=settings.smtp_idle_seconds,
            max_messages=settings.smtp_max_messages,
        )
        indexes.ensure(self._mails)

    def waiting(self) -> deque[Any]:
        """Find the mails that nobody has claimed."""
        found = self._mails.find({"delivery.state": None}, {"_id": 1}, hint=indexes.LIVE)
        return deque(each["_id"] for each in found)

    def drain(self, ids: deque[Any], size: int) -> None:
        """Send until there are no more ids; `size`: of the groups."""
        if size == 1:
            self.one_by_one(ids)
        else:
            self.in_groups(ids, size)

    def one_by_one(self, ids: deque[Any]) -> None:
        """Send until there are no more ids, each mail with a claim and a result of its own."""
        with self._transport.session(_deadline()) as session:
            while (id := _next(ids)) is not None:
                document = self._claim(self._mails, id)
                if document is None:
                    continue
                mail = self._compose(document)
                outcome = session.submit(mail, deadline=_deadline())
                self._mails.update_one(*_result(document, mail, outcome))

    def in_groups(self, ids: deque[Any], size: int) -> None:
        """Send until there are no more ids, a group between two majority writes."""
        with self._transport.session(_deadline()) as session:
            while group := [each for _ in range(size) if (each := _next(ids)) is not None]:
                documents = [self._claim(self._cheap, id) for id in group]
                self._send_group([each for each in documents if each is not None], session)

    def _send_group(self, documents: list[Document], session: Session) -> None:
        mails = [self._compose(each) for each in documents]
        query = {
            "_id": {"$in": [each["_id"] for each in documents]},
            "delivery.state": "PROCESSING",
        }
        self._mails.update_many(query, {"$set": {"delivery.phase": "SENDING"}})
        results = [
            UpdateOne(*_result(document, mail, session.submit(mail, deadline=_deadline())))
            for document, mail in zip(documents, mails, strict=True)
        ]
        self._mails.bulk_write(results, ordered=False)

    def _claim(self, mails: Collection[Document], id: Any) -> Document | None:
        now = datetime.now(UTC)
        changes = {
            "delivery.state": "PROCESSING",
            "delivery.startTime": now,
            "delivery.leaseExpireTime": now + _LEASE,
        }
        return mails.find_one_and_update(
            {"_id": id, "delivery.state": {"$in": [None, "PENDING", "RETRY"]}},
            {"$set": changes, "$inc": {"delivery.attempts": 1}},
            return_document=ReturnDocument.AFTER,
        )

    def _compose(self, document: Document) -> Mail:
        return compose(document, self._defaults, now=datetime.now(UTC))


def _result(document: Document, mail: Mail, outcome: Outcome) -> tuple[Document, Document]:
    """Make the query and the update."""
    query = {
        "_id": document["_id"],
        "delivery.state": "PROCESSING",
        "delivery.attempts": document["delivery"]["attempts"],
    }
    info = {
        "messageId": mail.message_id,
        "accepted": list(outcome.accepted),
        "rejected": list(outcome.rejected),
        "pending": list(outcome.pending),
        "response": outcome.response,
    }
    changes = {
        "delivery.state": "SUCCESS" if outcome.accepted else "ERROR",
        "delivery.endTime": datetime.now(UTC),
        "delivery.info": info,
        "delivery.leaseExpireTime": None,
    }
    return query, {"$set": changes}


def _next(ids: deque[Any]) -> Any | None:
    try:
        return ids.popleft()
    except IndexError:
        return None


def _deadline() -> float:
    return time.monotonic() + 50


def _together(threads: int, run: Callable[[], None]) -> None:
    started = [threading.Thread(target=run) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def main(threads: str, *options: str) -> None:
    settings = load_or_exit()
    grouped = "grouped" in options
    with mongo.connect(
        settings, role="floor", pool_size=int(threads) + 2, retry_writes=not grouped
    ) as client:
        floor = Floor(settings, client)
        print("ready.", flush=True)
        while True:
            ids = floor.waiting()
            size = max(1, min(GROUP, len(ids) // int(threads))) if grouped else 1
            _together(min(int(threads), len(ids)), partial(floor.drain, ids, size))
            time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What a worker process keeps between batches: its clients, connections and the result writer."""

from __future__ import annotations

import math
import os
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog

from config import mongo
from config.mongo import Document
from config.sendgrid import SendGridApi
from config.settings import Settings
from tasks.batch import Batch
from tasks.clock import ServerClock
from tasks.delivery.claim import Claim, Claims
from tasks.delivery.keys import Keys
from tasks.delivery.returns import Returns
from tasks.delivery.writer import ResultWriter
from tasks.envelope import Mail
from tasks.gathering import Gatherer
from tasks.lanes import Lane
from tasks.ledger import Tally
from tasks.limits import reasons
from tasks.limits.connect import connect
from tasks.limits.limits import Limits
from tasks.limits.permits import Permits
from tasks.limits.troubles import Troubles
from tasks.mail import Defaults, Profiles, compose, wanted
from tasks.pace import Pace
from tasks.parts import Parts
from tasks.retries import Retries
from tasks.retry import Backoff
from tasks.routing import Route, Routes
from tasks.screening.hindrances import Hindrances
from tasks.screening.originals import Originals
from tasks.screening.rate_limits import RateLimits
from tasks.screening.screen import Listener, Screen
from tasks.screening.suppressions import Suppressions
from tasks.transport import making as transports


#: Publishes messages again: a lane and its ids, and the documents' new enqueueTime.
Publish = Callable[[list[tuple[Lane, Sequence[Any]]], datetime], None]
#: Tells how many messages wait in a lane's queue.
Waiting = Callable[[Lane], int]
#: Into at most so many messages the rest of a batch is cut, for whoever is free.
_PIECES = 16

_log = structlog.get_logger(__name__)


class Worker:
    """One in each process, made at the first task: a fork must not inherit its sockets."""

    def __init__(
        self,
        settings: Settings,
        *,
        publish: Publish,
        waiting: Waiting,
        stopping: threading.Event,
    ) -> None:
        threads = settings.worker_concurrency + 4
        self._client = mongo.connect(settings, role="worker", pool_size=threads, retry_writes=False)
        mails = mongo.mail_collection(self._client, settings)
        self.now = ServerClock(self._client)
        self._claims = Claims(
            mails, self.now, settings.lease_seconds, settings.ttl, bulk=settings.claim == "bulk"
        )
        self._returns = Returns(mails, self.now, settings.ttl)
        self._writer = ResultWriter(mails, self.now, settings.ttl)
        names = tuple(each.name for each in settings.transports)
        self._profiles = Profiles(
            [
                Defaults(
                    each.default_from,
                    settings.default_reply_to,
                    namespace=mails.full_name,
                    transport=each.name,
                    transports=names,
                    letters=isinstance(each.server, SendGridApi),
                    max_recipients=settings.max_recipients,
                    max_message_bytes=settings.max_message_bytes,
                    text_from_html=settings.text_from_html,
                    inline_css=settings.inline_css,
                )
                for each in settings.transports
            ]
        )
        self._gatherer = Gatherer.of(settings, mails.database)
        redis = connect(settings)
        self._routes = Routes(
            [
                Route(transport, Troubles(redis, settings, name))
                for name, transport in transports.make(settings).items()
            ],
            settings.fallback,
        )
        backoff = Backoff(
            settings.max_attempts, settings.retry_base_seconds, settings.retry_max_seconds
        )
        self._again = Retries(backoff, self._routes, self.now)
        self._screens: list[Screen] = [Originals(Keys(mails, self.now), self.now)]
        self._listeners: list[Listener] = []
        if settings.suppressions_collection is not None:
            suppressed = mails.database[settings.suppressions_collection]
            suppressions = Suppressions(suppressed, self.now)
            self._screens.append(suppressions.screen)
            if settings.suppress_hard_bounces:
                self._listeners.append(suppressions.learn)
        self._screens_of_transport: list[Screen] = [Hindrances(self._routes)]
        self._pace = Pace()
        limits = Limits(settings)
        self._rate_limits = RateLimits(limits, Permits(redis), self._pace)
        if limits:
            self._screens_of_transport.append(self._rate_limits.screen)
            self._listeners.append(self._rate_limits.listen)
        self._publish = publish
        self._waiting = waiting
        self._stopping = stopping

    def deliver(self, ids: Sequence[Any], lane: Lane) -> Tally:
        """Attempt a batch. Raises PyMongoError when MongoDB stays away."""
        if self._routes.only_one_and_away:
            why = reasons.connection(self._routes.first.transport.server)
            self._returns.hold(ids, reasons.LOOK_AGAIN, why)
            return Tally(waiting=len(ids))
        token = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}"
        parts = Parts(
            claims=self._claims,
            compose=self._compose,
            screens=[*self._screens, *self._screens_of_transport],
            screens_of_transport=self._screens_of_transport,
            routes=self._routes,
            listeners=self._listeners,
            record=self._writer.put,
            postpone=self._returns.postpone,
            put_back=lambda rest, claims: self._put_back(lane, rest, claims),
            again=self._again,
            unused=self._rate_limits.unused,
            gives_way=lambda: self._ask_broker(lambda: any(map(self._waiting, lane.higher))),
            others_idle=lambda: self._ask_broker(lambda: not self._waiting(lane)),
            pace=self._pace,
            stopping=self._stopping,
        )
        return Batch(parts, token).deliver(ids)

    def _compose(self, document: Document, transport: str | None) -> Mail:
        profiles = self._profiles
        profile = profiles.of(document) if transport is None else profiles[transport]
        gathered = self._gatherer.gather(wanted(document))
        return compose(document, profile, now=self.now(), gathered=gathered)

    def _ask_broker(self, question: Callable[[], bool]) -> bool:
        try:
            return question()
        except Exception as error:  # noqa: BLE001 - the broker's; the mails are in hand already
            _log.warning("batch.goes_on", error=str(error))
            return False

    def _put_back(self, lane: Lane, rest: Sequence[Any], claims: Sequence[Claim]) -> None:
        """Give back and publish again; whatever fails here is found by the sweep."""
        now = self.now()
        ids = [*(claim.id for claim in claims), *rest]
        try:
            if claims:
                self._returns.release(claims, enqueue_time=now)
            self._returns.stamp(ids, now)
            size = max(self._pace.group_size(), math.ceil(len(ids) / _PIECES))
            pieces = [ids[start : start + size] for start in range(0, len(ids), size)]
            self._publish([(lane, piece) for piece in pieces], now)
        except Exception as error:  # noqa: BLE001 - MongoDB's or the broker's; nothing is lost
            _log.warning("batch.not_put_back", mails=len(ids), error=str(error))

"""The watcher's life: stand by, lead, step down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from bson.timestamp import Timestamp
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError

from config.mongo import Document
from config.settings import Settings
from tasks import enqueue
from tasks.clock import ServerClock
from tasks.delivery import forged, indexes
from tasks.observing import pulses, recorder, starting
from tasks.observing.pulses import Pulse
from tasks.observing.watchdog import watchdog
from watcher.census import Census
from watcher.events.child import Child
from watcher.leader import Leader, LostLeadershipError
from watcher.leading import Leading
from watcher.stream import STREAM_ENDED, Stream


#: Seconds between two attempts to lead, and after a failure.
STANDBY = 1.0

_log = structlog.get_logger(__name__)


def run(mails: Collection[Document], settings: Settings, stop: threading.Event) -> None:
    """Be a watcher until `stop` is set, with what others may ask of it."""
    watcher = Watcher(mails, settings, stop)
    starting.begin(settings, "watcher", hindrance=lambda: watcher.hindrance)
    if settings.metrics_port is not None:
        Census(mails, settings, leads=lambda: watcher.leads).start(stop)
    events = Child(stop)
    if settings.events_url or settings.events_handler:
        events.start()
    watcher.run()
    events.wait()


class Watcher:
    """Runs until `stop` is set."""

    def __init__(
        self, mails: Collection[Document], settings: Settings, stop: threading.Event
    ) -> None:
        self._mails = mails
        self._settings = settings
        self._stop = stop
        self._leader = Leader(mails)
        self._standing_by = False
        self.leads = False
        #: This loop comes by, whether it leads or stands by.
        self._pulse = Pulse("watcher", settings.watchdog_seconds)
        #: Why it is not ready: neither leads nor stands by.
        self.hindrance: str | None = "starting"

    def run(self) -> None:
        """Stand by or lead; MongoDB and the broker may come and go."""
        _log.info("watcher.started", owner=self._leader.owner)
        with watchdog.watching(self._pulse), pulses.in_hand(self._pulse):
            self._run()
        _log.info("watcher.stopped")

    def _run(self) -> None:
        while not self._stop.is_set():
            self._pulse.beat()
            try:
                if self._leader.acquire():
                    self._lead()
                else:
                    self._stand_by()
            except LostLeadershipError:
                _log.warning("watcher.lost_leadership")
            except PyMongoError as error:
                self.hindrance = "mongodb"
                _log.error("watcher.mongodb_failed", error=str(error))
            except enqueue.BROKER_ERRORS as error:
                self.hindrance = "broker"
                _log.error("watcher.broker_failed", error=str(error))
            self._stop.wait(STANDBY)

    def _stand_by(self) -> None:
        if not self._standing_by:
            _log.info("watcher.stands_by", owner=self._leader.owner)
        self._standing_by = True
        self.hindrance = None

    def _lead(self) -> None:
        self._standing_by = False
        try:
            while not self._stop.is_set():
                now = ServerClock(self._mails.database.client)
                with self._pulse.resting():  # over a large collection this takes its time
                    forged.ensure_indexes(self._mails, now(), self._settings.ttl)
                    indexes.drop_old(self._mails)
                with self._open() as stream:
                    resumed = self._leader.token is not None
                    _log.info("watcher.leads", resumed=resumed)
                    if not resumed:
                        with self._pulse.resting():
                            forged.heal(self._mails, now(), self._settings.ttl)
                    self.hindrance = None
                    self._tell(leads=True)
                    Leading(self._mails, self._settings, self._leader, stream, self._stop).run()
        except OperationFailure as error:
            if error.code in STREAM_ENDED:
                # The next round goes on from the present; what was missed is found by the rounds.
                _log.warning("watcher.history_lost", code=error.code)
                self._leader.save(None)
            raise
        finally:
            self._tell(leads=False)
            self._release()

    def _tell(self, *, leads: bool) -> None:
        self.leads = leads
        recorder().leads(leading=leads)

    @contextmanager
    def _open(self) -> Iterator[Stream]:
        try:
            stream = self._stream(self._leader.token)
        except OperationFailure as error:
            if self._leader.token is None:
                raise
            # When it opens without the token, the token was at fault: too old, or none at all.
            stream = self._stream(None)
            _log.warning("watcher.history_lost", code=error.code, error=str(error))
        try:
            yield stream
        finally:
            stream.close()

    def _stream(self, token: Document | None) -> Stream:
        patience = self._settings.watchdog_seconds
        return Stream(self._mails, token=token, start=self._present(), patience=patience)

    def _present(self) -> Timestamp:
        reply = self._mails.database.command("ping")
        time_: Timestamp = reply["operationTime"]
        return time_

    def _release(self) -> None:
        try:
            self._leader.release()
        except PyMongoError as error:
            _log.warning("watcher.not_released", error=str(error))

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
from watcher.leader import Leader, LostLeadershipError
from watcher.leading import Leading
from watcher.stream import Stream


#: Seconds between two attempts to lead, and after a failure.
STANDBY = 1.0
#: An open stream ended and cannot go on behind its token: history lost, a fatal error, an event
#: too large.
_STREAM_ENDED = frozenset({280, 286, 10334})

_log = structlog.get_logger(__name__)


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

    def run(self) -> None:
        """Stand by or lead; MongoDB and the broker may come and go."""
        _log.info("watcher.started", owner=self._leader.owner)
        while not self._stop.is_set():
            try:
                if self._leader.acquire():
                    self._lead()
                else:
                    self._stand_by()
            except LostLeadershipError:
                _log.warning("watcher.lost_leadership")
            except PyMongoError as error:
                _log.error("watcher.mongodb_failed", error=str(error))
            except enqueue.BROKER_ERRORS as error:
                _log.error("watcher.broker_failed", error=str(error))
            self._stop.wait(STANDBY)
        _log.info("watcher.stopped")

    def _stand_by(self) -> None:
        if not self._standing_by:
            _log.info("watcher.stands_by", owner=self._leader.owner)
        self._standing_by = True

    def _lead(self) -> None:
        self._standing_by = False
        try:
            while not self._stop.is_set():
                now = ServerClock(self._mails.database.client)
                forged.ensure_indexes(self._mails, now(), self._settings.ttl)
                indexes.drop_old(self._mails)
                with self._open() as stream:
                    resumed = self._leader.token is not None
                    _log.info("watcher.leads", resumed=resumed)
                    if not resumed:
                        forged.heal(self._mails, now(), self._settings.ttl)
                    Leading(self._mails, self._settings, self._leader, stream, self._stop).run()
        except OperationFailure as error:
            if error.code in _STREAM_ENDED:
                # The next round goes on from the present; what was missed is found by the rounds.
                _log.warning("watcher.history_lost", code=error.code)
                self._leader.save(None)
            raise
        finally:
            self._release()

    @contextmanager
    def _open(self) -> Iterator[Stream]:
        try:
            stream = Stream(self._mails, token=self._leader.token, start=self._present())
        except OperationFailure as error:
            if self._leader.token is None:
                raise
            # When it opens without the token, the token was at fault: too old, or none at all.
            stream = Stream(self._mails, token=None, start=self._present())
            _log.warning("watcher.history_lost", code=error.code, error=str(error))
        try:
            yield stream
        finally:
            stream.close()

    def _present(self) -> Timestamp:
        reply = self._mails.database.command("ping")
        time_: Timestamp = reply["operationTime"]
        return time_

    def _release(self) -> None:
        try:
            self._leader.release()
        except PyMongoError as error:
            _log.warning("watcher.not_released", error=str(error))

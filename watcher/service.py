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
from tasks.delivery import indexes
from watcher.leader import Leader, LostLeadershipError
from watcher.leading import Leading
from watcher.stream import Stream


#: Seconds between two attempts to lead, and after a failure.
STANDBY = 1.0
#: The stream cannot go on from this token: history lost, or no token of this stream.
_TOKEN_USELESS = frozenset({9, 260, 280, 286, 50811})

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
        _log.info("watcher.leads", resumed=self._leader.token is not None)
        try:
            while not self._stop.is_set():
                indexes.ensure(self._mails)
                with self._open() as stream:
                    Leading(self._mails, self._settings, self._leader, stream, self._stop).run()
        except OperationFailure as error:
            if error.code not in _TOKEN_USELESS or self._leader.token is None:
                raise
            # The next round opens the stream at the present; what it missed has no state yet,
            # or no enqueueTime, and the rounds find it.
            _log.warning("watcher.history_lost", code=error.code, error=str(error))
            self._leader.save(None)
        finally:
            self._release()

    @contextmanager
    def _open(self) -> Iterator[Stream]:
        stream = Stream(self._mails, token=self._leader.token, start=self._present())
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

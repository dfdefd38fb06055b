"""The sender's life: one of several leads, reads the stream, and saves how far it has come."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from bson.timestamp import Timestamp
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError

from config.mongo import Document
from config.settings import Settings
from tasks.clock import ServerClock
from tasks.observing.pulses import Pulse
from tasks.observing.watchdog import watchdog
from watcher.events import changes, missed
from watcher.events.courier import WINDOW, Courier
from watcher.events.progress import Progress
from watcher.events.receivers import Receiver
from watcher.leader import RENEW_EVERY, Leader, LostLeadershipError
from watcher.stream import STREAM_ENDED, Stream, Wanted


#: The document beside the watcher's own.
NAME = "events"
#: Seconds between two attempts to lead, and after a failure.
_STANDBY = 1.0
#: Seconds between two saves of the resume token.
_SAVE_EVERY = 1.0
#: Changes read ahead; each may name thousands of recipients.
_AHEAD = 100
#: Seconds for requests that are under way when it ends.
_PATIENCE = 4.0

#: From a mail's endTime to the moment at which it stands in the document.
_SLOW_WRITE = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


class _Stopped(Exception):
    """It is to end, and has not told yet of what was missed: the next one does."""


class Sender:
    """Runs until `stop` is set."""

    def __init__(
        self,
        mails: Collection[Document],
        settings: Settings,
        receiver: Receiver,
        stop: threading.Event,
    ) -> None:
        self._mails = mails
        self._settings = settings
        self._receiver = receiver
        self._stop = stop
        self._leader = Leader(mails, NAME)
        self._source = f"/mailtrigger/{mails.database.name}/{mails.name}"
        self._now = ServerClock(mails.database.client)
        self._pulse = Pulse("events", settings.watchdog_seconds)
        self._saved = 0.0
        #: The stream cannot go on behind the saved token.
        self._is_cut = False

    def run(self) -> None:
        """Stand by or lead; MongoDB and the receiver may come and go."""
        with watchdog.watching(self._pulse):
            while not self._stop.is_set():
                self._pulse.beat()
                try:
                    if self._leader.acquire():
                        self._lead()
                except _Stopped:
                    return
                except LostLeadershipError:
                    _log.warning("events.lost_leadership")
                except PyMongoError as error:
                    _log.error("events.mongodb_failed", error=str(error))
                self._stop.wait(_STANDBY)

    def _lead(self) -> None:
        progress = Progress(WINDOW)
        courier = Courier(self._receiver, progress)
        try:
            with self._open() as (stream, complete):
                _log.info("events.leads", resumed=self._leader.token is not None)
                if not complete:
                    self._catch_up(courier, progress)
                self._is_cut = False
                if stream.token is not None:
                    self._leader.save(stream.token, self._now())
                self._send(stream, courier, progress)
        except OperationFailure as error:
            if error.code in STREAM_ENDED:
                self._is_cut = True
            raise
        finally:
            courier.stop(_PATIENCE)
            self._release(progress)

    def _send(self, stream: Stream, courier: Courier, progress: Progress) -> None:
        """Deliver until the stop, or until the stream must be opened anew."""
        invalidated = False
        while not invalidated and not self._stop.is_set():
            self._pulse.beat()
            self._keep(progress)
            if not progress.wait_for_room(RENEW_EVERY / 2):
                continue
            taken = stream.take(_AHEAD, wait=RENEW_EVERY / 2, linger=0)
            for change in taken.events:
                events = changes.of_change(change, self._source, self._settings.events_types.names)
                at = change.get("wallTime") or self._now()
                courier.send(events, progress.begin(change["_id"], len(events), at))
                invalidated = invalidated or change["operationType"] == "invalidate"
            if taken.token is not None:
                progress.begin(taken.token, 0, self._now())
        while not self._stop.is_set() and not progress.wait_for_all(RENEW_EVERY / 2):
            self._pulse.beat()
            self._keep(progress)

    def _catch_up(self, courier: Courier, progress: Progress) -> None:
        """Tell of what ended since the last save; until it is delivered, nothing is saved."""
        if self._leader.reached is None:
            return
        since = self._leader.reached - _SLOW_WRITE
        _log.error(
            "events.history_lost",
            since=since.isoformat(),
            told_again="how mails ended since then, by an index; no other states",
        )
        for document in missed.ended_since(self._mails, since, self._settings.ttl):
            events = changes.of_ended(document, self._source, self._settings.events_types.names)
            courier.send(events, progress.begin({}, len(events), since))
            while not progress.wait_for_room(RENEW_EVERY / 2):
                self._rest()
        while not progress.wait_for_all(RENEW_EVERY / 2):
            self._rest()

    def _rest(self) -> None:
        if self._stop.is_set():
            raise _Stopped
        self._pulse.beat()
        self._leader.renew_if_due()

    def _keep(self, progress: Progress) -> None:
        self._leader.renew_if_due()
        if time.monotonic() - self._saved > _SAVE_EVERY:
            self._save(progress)

    def _save(self, progress: Progress) -> None:
        """Save where the stream goes on: everything before it was delivered."""
        place = progress.reached()
        if place and place.token and place.token != self._leader.token:
            self._leader.save(place.token, place.at)
            self._saved = time.monotonic()

    @contextmanager
    def _open(self) -> Iterator[tuple[Stream, bool]]:
        """Open the stream after the token; where that cannot be, at the present: not complete."""
        token = None if self._is_cut else self._leader.token
        try:
            stream = self._stream(token)
        except OperationFailure:
            if token is None:
                raise
            # When it opens without the token, the token was at fault: too old, or none at all.
            token, stream = None, self._stream(None)
        try:
            yield stream, token is not None or self._leader.token is None
        finally:
            stream.close()

    def _stream(self, token: Document | None) -> Stream:
        wanted = Wanted(changes.PIPELINE, _AHEAD)
        patience = self._settings.watchdog_seconds
        start = self._present()
        return Stream(self._mails, token=token, start=start, patience=patience, wanted=wanted)

    def _present(self) -> Timestamp:
        reply = self._mails.database.command("ping")
        time_: Timestamp = reply["operationTime"]
        return time_

    def _release(self, progress: Progress) -> None:
        try:
            self._save(progress)
            self._leader.release()
        except (PyMongoError, LostLeadershipError) as error:
            _log.warning("events.not_released", error=str(error))

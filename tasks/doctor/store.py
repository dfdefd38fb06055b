"""MongoDB: the indexes, the oplog, who leads and how far the stream is, the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from config import mongo
from config.checks.finding import TIMEOUT_SECONDS, Finding, Level
from config.logs import redact
from config.mongo import Document
from config.settings import Settings
from tasks.clock import ServerClock
from tasks.delivery import indexes
from tasks.doctor import tokens


Mails = Collection[Document]

#: Seconds the stream's saved place may be behind: an idle one is saved every few seconds.
_LATE = 60.0
#: An oplog that is full and reaches back less far is soon too short for a pause of the watcher.
_SHORT_OPLOG = timedelta(hours=1)
_FULL = 0.9
_CLOCK_SECONDS = 2.0
#: The server's error code for missing rights.
_UNAUTHORIZED = 13
#: As watcher/leader.py writes it; the watcher's package is not for us to import.
_LEADER = "leader"


def check(settings: Settings) -> list[Finding]:
    """Find out, writing nothing."""
    with mongo.connect(settings, role="doctor", pool_size=2) as client:
        mails = mongo.mail_collection(client, settings)
        asked: tuple[Callable[[], list[Finding]], ...] = (
            lambda: _indexes(mails),
            lambda: _leader(mails),
            lambda: _oplog(client, mails),
            lambda: [clock("MongoDB", ServerClock(client)())],
        )
        found: list[Finding] = []
        for ask in asked:
            try:
                with pymongo.timeout(TIMEOUT_SECONDS):
                    found += ask()
            except ConnectionFailure:
                return found  # config.checks has said so
            except PyMongoError as error:
                found.append(_unknown(error))
        return found


def clock(name: str, theirs: datetime) -> Finding:
    """Compare a server's clock, read just now, to this machine's."""
    seconds = (datetime.now(UTC) - theirs) / timedelta(seconds=1)
    text = f"{name}'s clock and this machine's differ by {abs(seconds):.1f} s"
    if abs(seconds) <= _CLOCK_SECONDS:
        return Finding("Clocks", Level.OK, text)
    return Finding("Clocks", Level.WARNING, text, "let both follow a time server (NTP)")


def _indexes(mails: Mails) -> list[Finding]:
    there = set(mails.index_information())
    wanted = {str(model.document["name"]) for model in indexes.MODELS}
    missing = sorted(wanted - there)
    if not missing:
        return [Finding("Indexes", Level.OK, f"{mails.full_name} has all {len(wanted)}")]
    text = f"{mails.full_name} lacks {', '.join(missing)}"
    return [Finding("Indexes", Level.FAILED, text, "run python -m tasks setup")]


def _leader(mails: Mails) -> list[Finding]:
    record = _record(mails)
    now = ServerClock(mails.database.client)()
    expire, owner = record.get("expireTime"), record.get("owner")
    if owner is None or not isinstance(expire, datetime) or expire <= now:
        advice = "start python -m watcher; without it mails wait"
        return [Finding("Watcher", Level.FAILED, "none leads", advice)]
    found = [Finding("Watcher", Level.OK, f"{owner} leads")]
    place = tokens.time_of(record.get("token"))
    if place is None:
        found.append(Finding("Watcher", Level.UNKNOWN, "it has not saved how far it is"))
        return found
    late = _now_of_oplog(mails) - place
    text = f"it has handled what was written until {max(late, 0):.0f} s ago"
    if late <= _LATE:
        return [*found, Finding("Watcher", Level.OK, text)]
    advice = "look at its log: MongoDB, Redis or the machine is too slow for it"
    return [*found, Finding("Watcher", Level.WARNING, text, advice)]


def _oplog(client: MongoClient[Document], mails: Mails) -> list[Finding]:
    oplog = client["local"]["oplog.rs"]
    try:
        first = oplog.find_one({}, {"ts": 1}, sort=[("$natural", 1)])
        sizes = client["local"].command("collStats", "oplog.rs")
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise
        text = "the user may not read its length (role clusterMonitor, and read on local)"
        return [Finding("Oplog", Level.UNKNOWN, text)]
    if first is None:
        return [Finding("Oplog", Level.UNKNOWN, "a sharded cluster: each shard has its own")]
    window = timedelta(seconds=_now_of_oplog(mails) - first["ts"].time)
    is_full = sizes["size"] > _FULL * sizes["maxSize"]
    text = f"reaches back {_said(window)}{'' if is_full else ', and is not full yet'}"
    place = tokens.time_of(_record(mails).get("token"))
    if place is not None and place < first["ts"].time:
        advice = (
            "the watcher goes on from the present and finds what waits by the index; enlarge it"
        )
        return [Finding("Oplog", Level.WARNING, f"{text}; the stream's place is lost", advice)]
    if is_full and window < _SHORT_OPLOG:
        advice = "a pause of the watcher longer than that makes it search by the index; enlarge it"
        return [Finding("Oplog", Level.WARNING, text, advice)]
    return [Finding("Oplog", Level.OK, text)]


def _record(mails: Mails) -> Document:
    found = mails.database[f"{mails.name}.watcher"].with_options(codec_options=mails.codec_options)
    return found.find_one({"_id": _LEADER}) or {}


def _now_of_oplog(mails: Mails) -> int:
    reply: Any = mails.database.command("ping")
    stamp = reply.get("operationTime")
    return int(stamp.time) if stamp is not None else int(time.time())


def _said(length: timedelta) -> str:
    hours = length / timedelta(hours=1)
    return f"{hours:.0f} h" if hours >= 1 else f"{hours * 60:.0f} min"


def _unknown(error: PyMongoError) -> Finding:
    text = redact(str(error).partition(", full error:")[0])
    return Finding("MongoDB", Level.UNKNOWN, f"could not be asked everything: {text}")

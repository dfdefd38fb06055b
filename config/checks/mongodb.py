"""MongoDB: whether it answers, is a replica set, and lets us watch the collection."""

from __future__ import annotations

import pymongo
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from config import mongo
from config.checks.finding import TIMEOUT_SECONDS, Finding, Level
from config.logs import redact
from config.mongo import Document
from config.settings import Settings


_SUBJECT = "MongoDB"
_OLDEST = (6, 0)
#: pymongo's name for a member without a configuration.
_NOT_INITIATED = "RSGhost"
#: Codes of the server's error list.
_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18


def check(settings: Settings) -> list[Finding]:
    """Find out, writing nothing."""
    with mongo.connect(settings, role="check", pool_size=2) as client:
        try:
            with pymongo.timeout(TIMEOUT_SECONDS):
                return [_server(client), *_collection(client, settings)]
        except PyMongoError as error:
            return [_failure(error, client)]


def _server(client: MongoClient[Document]) -> Finding:
    hello = client.admin.command("hello")
    version = client.server_info()["version"]
    kind = "sharded cluster" if hello.get("msg") == "isdbgrid" else "single server"
    kind = f"replica set {hello['setName']}" if "setName" in hello else kind
    text = f"answers: version {version}, {kind}"
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        return Finding(_SUBJECT, Level.FAILED, text, "MongoDB 6.0 or later is needed")
    if kind == "single server":
        return Finding(
            _SUBJECT,
            Level.FAILED,
            text,
            "change streams need a replica set, one member is enough:"
            " start mongod with --replSet rs0 and run rs.initiate() once",
        )
    return Finding(_SUBJECT, Level.OK, text)


def _collection(client: MongoClient[Document], settings: Settings) -> list[Finding]:
    name = f"{settings.database}.{settings.mail_collection}"
    try:
        with mongo.mail_collection(client, settings).watch([]):
            return [Finding(_SUBJECT, Level.OK, f"{name} can be read and watched")]
    except OperationFailure as error:
        if error.code == _UNAUTHORIZED:
            advice = f"grant the user the role readWrite on {settings.database}"
            return [Finding(_SUBJECT, Level.FAILED, f"{name} may not be watched", advice)]
        return []  # not a replica set: said already


def _failure(error: PyMongoError, client: MongoClient[Document]) -> Finding:
    servers = client.topology_description.server_descriptions().values()
    if any(server.server_type_name == _NOT_INITIATED for server in servers):
        text = "answers, but its replica set has not been initiated"
        return Finding(_SUBJECT, Level.FAILED, text, "run rs.initiate() once, in mongosh")
    reason = redact(str(error).partition(", Timeout:")[0].partition(", full error:")[0])
    if isinstance(error, OperationFailure) and error.code == _AUTHENTICATION_FAILED:
        advice = "check user and password in MONGODB_URI; authSource says which database knows them"
        return Finding(_SUBJECT, Level.FAILED, "refused user or password", advice)
    if isinstance(error, ConnectionFailure):
        advice = "is it running, is MONGODB_URI right, does a firewall stand between?"
        return Finding(_SUBJECT, Level.FAILED, f"does not answer: {reason}", advice)
    return Finding(_SUBJECT, Level.FAILED, f"answers with an error: {reason}")

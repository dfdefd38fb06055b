from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bson import DatetimeMS
from bson.raw_bson import RawBSONDocument
from pydantic import SecretStr
from pymongo.database import Database

from config import mongo
from config.settings import Settings


def test_defaults(settings: Settings) -> None:
    """Writes are acknowledged by the majority, on disk; no wait is endless; the role is named."""
    with mongo.connect(settings, role="worker", pool_size=7) as client:
        options = client.options

        assert client.write_concern.document == {"w": "majority", "j": True, "wtimeout": 10_000}
        assert options.pool_options.max_pool_size == 7
        assert options.pool_options.socket_timeout == 20
        assert options.pool_options.connect_timeout == 5
        assert options.server_selection_timeout == 30
        assert options.pool_options.appname == "mailtrigger-worker"
        assert options.retry_writes


def test_options_of_the_uri_win(settings: Settings) -> None:
    """Whoever sets an option in MONGODB_URI means it."""
    uri = settings.mongodb_uri.get_secret_value() + "&w=1&socketTimeoutMS=9000&APPNAME=ours"
    changed = settings.model_copy(update={"mongodb_uri": SecretStr(uri)})
    with mongo.connect(changed, pool_size=3) as client:
        assert client.write_concern.document["w"] == 1
        assert client.options.pool_options.socket_timeout == 9
        assert client.options.pool_options.appname == "ours"


def test_retry_writes(settings: Settings) -> None:
    """The URI can forbid retryable writes, but every Atlas URI's retryWrites=true asks nothing."""
    for in_uri, asked, expected in (("true", False, False), ("false", True, False)):
        uri = settings.mongodb_uri.get_secret_value() + f"&retryWrites={in_uri}"
        changed = settings.model_copy(update={"mongodb_uri": SecretStr(uri)})
        with mongo.connect(changed, retry_writes=asked) as client:
            assert client.options.retry_writes is expected


def test_any_document_can_be_read(settings: Settings, database: Database[dict[str, Any]]) -> None:
    """Broken UTF-8 and dates that Python cannot hold do not keep us from reading a document."""
    broken = b"\x13\x00\x00\x00\x02text\x00\x04\x00\x00\x00a\xff\xff\x00\x00"
    raw: Any = database.client[database.name]["mail"]
    raw.insert_one({"_id": 1, "at": DatetimeMS(2**60), "then": datetime(2026, 1, 1, tzinfo=UTC)})
    raw.insert_one(RawBSONDocument(broken))
    with mongo.connect(settings) as client:
        mails = mongo.mail_collection(client, settings)

        document = mails.find_one({"_id": 1}) or {}
        text = mails.find_one({"text": {"$exists": True}}) or {}

    assert document["at"] == DatetimeMS(2**60)
    assert document["then"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert text["text"] == "a\ufffd\ufffd"

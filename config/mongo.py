"""The MongoDB client of every process, and the collection of mails."""

from __future__ import annotations

from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient
from pymongo.collection import Collection

from config.mongodb_uri import parse
from config.settings import Settings


#: A document as the driver gives it.
Document = dict[str, Any]

#: Dates are aware, in UTC; a document with broken UTF-8 or a date beyond year 9999 can still be
#: read (as U+FFFD and `bson.DatetimeMS`), so that it can be refused by name instead of stopping us.
CODEC: CodecOptions[Document] = CodecOptions(
    document_class=dict,
    tz_aware=True,
    unicode_decode_error_handler="replace",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)

#: In milliseconds. A primary that vanishes without closing its connections is noticed after
#: socketTimeoutMS; it must be longer than a change stream's longest wait for events.
_DEFAULTS: dict[str, Any] = {
    "w": "majority",
    "journal": True,
    "wTimeoutMS": 10_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 20_000,
    "serverSelectionTimeoutMS": 30_000,
}


def connect(
    settings: Settings,
    *,
    role: str = "client",
    pool_size: int = 100,
    retry_writes: bool = True,
) -> MongoClient[Document]:
    """Make a client; it connects with the first operation, and is closed by the caller.

    `pool_size`: at least the number of threads that use it. `role` shows in the server's log and
    in currentOp as `mailtrigger-<role>`. An option in MONGODB_URI beats the default here. Only
    retryWrites=true does not (every Atlas URI has it): where the code asks for
    `retry_writes=False`, its own retry is safe and cheaper.
    """
    uri = settings.mongodb_uri.get_secret_value()
    chosen = parse(uri).options
    wanted = {**_DEFAULTS, "maxPoolSize": pool_size, "appname": f"mailtrigger-{role}"}
    options = {name: value for name, value in wanted.items() if name.lower() not in chosen}
    options["retryWrites"] = retry_writes and chosen.get("retrywrites") != "false"
    return MongoClient(uri, **options)


def mail_collection(client: MongoClient[Document], settings: Settings) -> Collection[Document]:
    """Give the collection of mails, read and written with `CODEC`."""
    return client[settings.database].get_collection(settings.mail_collection, codec_options=CODEC)

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import bson
import pytest
from bson import SON, Binary, Decimal128, Int64, MinKey, ObjectId, Timestamp

from tasks.mail import Defaults, compose
from tests.unit.mail.samples import DEFAULTS, NOW, composed, document, problems_of, with_message


IDS: list[Any] = [
    ObjectId("65e6d0f5c2a4e1f0a1b2c3d4"),
    "65e6d0f5c2a4e1f0a1b2c3d4",
    5,
    Int64(5),
    5.0,
    "5",
    Decimal128("5"),
    True,
    None,
    float("nan"),
    datetime(2024, 1, 1),  # noqa: DTZ001
    Timestamp(1, 1),
    Binary(b"x", 0),
    Binary(b"x", 128),
    UUID(int=5),
    MinKey(),
    SON(a=1, b=2),
    SON(b=2, a=1),
    {"a": {"$b.c": [1]}},
]


def id_of(id: Any, defaults: Defaults = DEFAULTS) -> str:
    return compose(document(_id=id) | {"_id": id}, defaults, now=NOW).message_id


def test_every_bson_type_has_its_own_id() -> None:
    """An `_id` of any BSON type gives an id; values of different types never the same."""
    ids = [id_of(id) for id in IDS]

    assert len(set(ids)) == len(IDS)
    assert all(re.fullmatch(r"<[0-9a-f]{32}@example\.com>", id) for id in ids)


@pytest.mark.parametrize("id", IDS, ids=[f"{type(id).__name__} {id!r}" for id in IDS])
def test_same_document_same_id(id: Any) -> None:
    """A document sent again has the same Message-ID, so that receivers can drop the twin."""
    options = bson.CodecOptions[dict[str, Any]](uuid_representation=4)
    again = bson.decode(bson.encode({"_id": id}, codec_options=options), codec_options=options)

    assert id_of(again["_id"]) == id_of(id)


def test_collections_are_kept_apart() -> None:
    """The same `_id` in another collection is another mail."""
    assert id_of(5, Defaults("a@b", namespace="app.mail")) != id_of(
        5, Defaults("a@b", namespace="test.mail")
    )


@pytest.mark.parametrize(("given", "header"), [("a@b", "<a@b>"), (" <a.1@b> ", "<a.1@b>")])
def test_given_id(given: str, header: str) -> None:
    """message.messageId is used; missing angle brackets are added."""
    mail = with_message(messageId=given)

    assert mail.message_id == header
    assert f"Message-ID: {header}\r\n".encode() in mail.content


@pytest.mark.parametrize(
    "bad", ["x", "a b@c", "a@b@c", "<a@b", "a@b>", "ä@b", "@b", "x" * 900 + "@b"]
)
def test_bad_id(bad: str) -> None:
    """An id that is none is an error naming the field."""
    (problem,) = problems_of(message={"subject": "s", "text": "t", "messageId": bad})

    assert problem.startswith("message.messageId must look like <id@example.com>")


def test_long_id_is_not_folded() -> None:
    """Message-ID stands on one line, however long."""
    mail = with_message(messageId="x" * 500 + "@b")

    assert b"Message-ID: <" + b"x" * 500 + b"@b>\r\n" in mail.content


@pytest.mark.parametrize("bad", ["\ud800", 2**70, object(), {"a": {1}}])
def test_id_that_is_no_bson(bad: Any) -> None:
    """What cannot be an `_id` is an error, not a crash."""
    assert problems_of(_id=bad) == ["_id cannot be written as BSON"]


def test_senders_domain() -> None:
    """The id's right side is the sender's domain, in ASCII."""
    assert composed(from_="a@münchen.de").message_id.endswith("@xn--mnchen-3ya.de>")

"""Good and bad documents: what every way of checking them must agree about."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import bson
from bson import Binary, Code, DatetimeMS, Decimal128, Int64, ObjectId, Regex, Timestamp
from hypothesis import strategies as st

from tests.support.fuzz_fields import FIELDS, Path, put
from tests.support.fuzz_values import KINDS


MESSAGE: dict[str, Any] = {"subject": "Hello", "text": "Hi\n"}
WHOLE: dict[str, Any] = {"to": "jo@example.org", "message": MESSAGE}


def _with(**fields: Any) -> dict[str, Any]:
    return WHOLE | {name.rstrip("_"): value for name, value in fields.items()}


def _attached(**fields: Any) -> dict[str, Any]:
    return _with(message=MESSAGE | {"attachments": [{"content": "x"} | fields]})


#: Composed, and right for every schema.
GOOD: list[dict[str, Any]] = [
    WHOLE,
    _with(to=["a@example.com", None, "B <b@example.com>"], cc=None, bcc=[]),
    {"bcc": "a@example.com", "message": {"subject": "", "html": "<p>Hi</p>", "text": None}},
    _with(headers={"X-A": "1", "X-B": [None, "2"], "X-C": None}, replyTo="a@example.com"),
    _with(sendAt=datetime.now(UTC), deliverBefore=DatetimeMS(2**53), priority="low"),
    _with(idempotencyKey="invoice-4711", categories="news", from_="A <a@example.com>"),
    _with(dsn={"notify": ["failure", "delay"], "return": "headers", "id": "4711"}),
    _with(list={"unsubscribe": "https://example.com/u", "oneClick": True, "id": "a.example"}),
    _with(template=None, sendGrid=None, transport=None, delivery=None, ours={"$odd.key": [1]}),
    _with(delivery={"state": "DRAFT"}),
    _with(message=MESSAGE | {"icalEvent": "BEGIN:VCALENDAR\r\nEND:VCALENDAR"}),
    _with(message=MESSAGE | {"icalEvent": "", "amp": "<html ⚡4email></html>"}),
    _with(message=MESSAGE | {"alternatives": [None, {"contentType": "text/x-a", "content": "a"}]}),
    _attached(content=Binary(b"\xff", 0), filename=False, contentType="image/png", cid="logo"),
    _attached(content="YQ==", encoding="base64", headers={"X-A": ["1", "2"]}),
    _attached(content=None, path="data:text/plain,x", httpHeaders={"Accept": "text/plain"}),
]

#: The field that is wrong, and a document with it.
BAD: list[tuple[str, dict[str, Any]]] = [
    ("to", _with(to=5)),
    ("to", _with(to="a@example.com\nBcc: b@example.com")),
    ("to", _with(to="a@example.com\n")),
    ("bcc", _with(bcc=["a@example.com", 5])),
    ("cc", _with(cc=["a@example.com"] * 10_001)),
    ("toUids", _with(toUids="u1")),
    ("ccUids", _with(ccUids=[{"$ne": 1}])),
    ("ccUids", _with(ccUids=[True])),
    ("bccUids", _with(bccUids=[Regex(".")])),
    ("bccUids", _with(bccUids=["x" * 1025])),
    ("from", _with(from_=["a@example.com"])),
    ("replyTo", _with(replyTo=Code("x"))),
    ("headers", _with(headers="X: y")),
    ("headers", _with(headers={"X-A": [5]})),
    ("headers", _with(headers={"X-A": "x\r\nBcc: b@example.com"})),
    ("headers", _with(headers={f"X-{number}": "x" for number in range(101)})),
    ("message", _with(message=[MESSAGE])),
    ("subject", _with(message=MESSAGE | {"subject": 5})),
    ("subject", _with(message=MESSAGE | {"subject": "x\ny"})),
    ("text", _with(message=MESSAGE | {"text": b"x"})),
    ("html", _with(message=MESSAGE | {"html": 1.5})),
    ("messageId", _with(message=MESSAGE | {"messageId": ObjectId()})),
    ("attachments", _with(message=MESSAGE | {"attachments": {}})),
    ("attachments", _with(message=MESSAGE | {"attachments": ["x"]})),
    ("icalEvent", _with(message=MESSAGE | {"icalEvent": 5})),
    ("alternatives", _with(message=MESSAGE | {"alternatives": [{}] * 21})),
    ("filename", _attached(filename=True)),
    ("filename", _attached(filename="x" * 256)),
    ("content", _attached(content=Int64(5))),
    ("cid", _attached(cid="a\0b")),
    ("httpHeaders", _attached(httpHeaders={"Accept": 5})),
    ("sendAt", _with(sendAt="2024-01-01")),
    ("deliverBefore", _with(deliverBefore=Timestamp(1, 1))),
    ("priority", _with(priority="urgent")),
    ("priority", _with(priority=["high"])),
    ("idempotencyKey", _with(idempotencyKey="")),
    ("idempotencyKey", _with(idempotencyKey="x" * 256)),
    ("list", _with(list=[])),
    ("oneClick", _with(list={"oneClick": "yes"})),
    ("dsn", _with(dsn=True)),
    ("categories", _with(categories=Decimal128("1"))),
    ("templateId", _with(sendGrid={"templateId": 5})),
    ("template", _with(template="welcome")),
    ("sendGrid", _with(sendGrid=5)),
    ("transport", _with(transport=5)),
]

#: What is needed and missing, in words of the schema's description, and a document without it.
INCOMPLETE: list[tuple[str, dict[str, Any]]] = [
    ("Somebody must get it", {"message": MESSAGE}),
    ("Somebody must get it", {"to": "", "cc": [], "bcc": None, "message": MESSAGE}),
    ("A message is needed", {"to": "jo@example.org"}),
    ("A message is needed", _with(message=None)),
    ("A message needs a subject", _with(message={"text": "x"})),
    ("A message needs a subject", _with(message={"subject": None, "text": "x"})),
    ("A message needs a subject", _with(message={"subject": "x"})),
    ("A message needs a subject", _with(message={"subject": "x", "text": "", "html": None})),
]

#: Its names of headers are checked by composing alone.
_UNSAID = ("httpHeaders",)
_PATHS = [path for path in FIELDS if path[-1] not in _UNSAID]
_NAMES = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=8)
_SINGLE = st.one_of(*KINDS.values(), st.none())


def _can_be_sent(value: Any) -> bool:
    try:
        bson.encode({"": value})
    except (bson.errors.BSONError, OverflowError, ValueError):
        return False
    return True


_VALUES = st.one_of(
    _SINGLE,
    st.lists(_SINGLE, max_size=3),
    st.dictionaries(_NAMES, _SINGLE, max_size=2),
).filter(_can_be_sent)


@st.composite
def random_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a whole document with any value in one field, or two."""
    document = copy.deepcopy(WHOLE)
    done: list[Path] = []
    for path in draw(st.lists(st.sampled_from(_PATHS), min_size=1, max_size=2)):
        if not any(path[: len(each)] == each for each in done):
            put(document, path, draw(_VALUES))
            done.append(path)
    return document

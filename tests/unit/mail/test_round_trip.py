"""Whole documents, made at random: what was written can be read, and nothing ever crashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import bson
import pytest
from bson import (
    Binary,
    Code,
    DatetimeMS,
    DBRef,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import MailError
from tasks.mail import compose
from tests.unit.mail.samples import DEFAULTS, NOW, document, read_back


LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=120)
BODY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400)
ADDRESS = st.from_regex(
    r"[a-z0-9]{1,10}(\.[a-z0-9]{1,5})?@[a-z0-9]{1,10}\.(org|test)", fullmatch=True
)
ATTACHMENT = st.fixed_dictionaries(
    {"content": st.binary(max_size=200)},
    optional={
        "filename": LINE.filter(str.strip),
        "cid": st.from_regex(r"[a-z]{1,9}", fullmatch=True),
    },
)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.text(st.characters(categories=("Cs", "Cc", "L"))),
    st.sampled_from(["\ud800", "a@b", "a\r\nb", "\0", "data:,x", "=?", "text/plain", "<a@b>", ","]),
    st.binary(),
    st.datetimes(),
    st.sampled_from(
        [
            ObjectId(),
            Binary(b"x", 4),
            Decimal128("NaN"),
            DBRef("c", 1),
            Code("x", {}),
            Regex("("),
            Timestamp(1, 1),
            MinKey(),
            MaxKey(),
            DatetimeMS(2**62),
            Int64(1),
        ]
    ),
)
NAMES = st.sampled_from(
    [
        *("to", "cc", "bcc", "from", "replyTo", "headers", "message", "template", "sendAt", "dsn"),
        *("deliverBefore", "priority", "transport", "list", "toUids", "categories", "delivery"),
        *(
            "subject",
            "text",
            "html",
            "amp",
            "messageId",
            "attachments",
            "alternatives",
            "icalEvent",
        ),
        *("filename", "content", "encoding", "path", "href", "contentType", "contentDisposition"),
        *("cid", "raw", "_id", "Reply-To", "Date", "Sender", "Message-ID", "References"),
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(), inner, max_size=6)
    ),
    max_leaves=20,
)


def crlf(text: str) -> bytes:
    return "\r\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).encode()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_what_was_written_can_be_read(data: st.DataObject) -> None:
    """Sender, recipients, subject, bodies and files of any right document arrive as they were."""
    to, cc, bcc = (data.draw(st.lists(ADDRESS, min_size=1, max_size=3)) for _ in range(3))
    subject, text, html = data.draw(LINE), data.draw(BODY), data.draw(BODY)
    attachments = data.draw(st.lists(ATTACHMENT, max_size=3))
    message = {"subject": subject, "text": text, "html": html, "attachments": attachments}

    mail = compose(document(to=to, cc=cc, bcc=bcc, message=message), DEFAULTS, now=NOW)

    read = read_back(mail.content)
    leaves = [part for part in read.walk() if not part.is_multipart()]
    files = sorted(attachments, key=lambda attachment: "cid" not in attachment)
    assert mail.recipients == tuple(dict.fromkeys([*to, *cc, *bcc]))
    assert [address.addr_spec for address in read["To"].addresses] == to
    assert [address.addr_spec for address in read["Cc"].addresses] == cc
    assert read["Subject"] == subject.rstrip() or read["Subject"] == subject
    assert leaves[0].get_payload(decode=True) == crlf(text)
    assert leaves[1].get_payload(decode=True) == crlf(html)
    assert [leaf.get_payload(decode=True) for leaf in leaves[2:]] == [
        attachment["content"] for attachment in files
    ]
    for leaf, attachment in zip(leaves[2:], files, strict=True):
        named = str(attachment.get("filename", leaf.get_filename()))
        assert leaf.get_filename() == named.strip()
    _check_wire(mail.content)


@settings(max_examples=150, deadline=None)
@given(fields=st.dictionaries(NAMES | st.text(), VALUES, max_size=8), mostly_right=st.booleans())
def test_never_anything_but_a_mail_error(fields: dict[str, Any], *, mostly_right: bool) -> None:
    """Whatever a document holds, the answer is a mail or a MailError with a text."""
    _attempt(document() | fields if mostly_right else fields)


@settings(max_examples=100, deadline=None)
@given(NAMES, NAMES, VALUES)
def test_one_wrong_value(outer: str, inner: str, value: Any) -> None:
    """The same with a document that is right but for one value, in each of its places."""
    message = {"subject": "s", "text": "t"}
    for fields in (
        {outer: value},
        {"headers": {outer: value}},
        {"message": message | {inner: value}},
        {"message": message | {"attachments": [{"content": "x", inner: value}]}},
    ):
        _attempt(document(**fields))


@pytest.mark.parametrize("field", ["to", "headers", "message", "template", "delivery", "_id"])
def test_deep_nesting(field: str) -> None:
    """A deeply nested value is no RecursionError."""
    deep: Any = "x"
    for number in range(20_000):
        deep = [deep] if number % 2 else {"message": deep}

    _attempt(document(**{field: deep}))


def _attempt(whole: dict[str, Any]) -> None:
    """Compose the document, and check whichever of the two allowed answers comes."""
    text = ""
    try:
        mail = compose(whole, DEFAULTS, now=NOW)
    except MailError as error:
        text = str(error)
    else:
        _check_wire(mail.content)
        return
    assert 0 < len(text) < 10_000


def test_decoded_documents() -> None:
    """A document as pymongo decodes it, dates and binary included, makes the same mail."""
    whole = document(
        deliverBefore=datetime(2030, 1, 1),  # noqa: DTZ001
        message={"subject": "s", "text": "t", "attachments": [{"content": b"\xff"}]},
    )

    mail = compose(bson.decode(bson.encode(whole)), DEFAULTS, now=NOW)

    assert mail.message_id == compose(whole, DEFAULTS, now=NOW).message_id


def _check_wire(content: bytes) -> None:
    """CRLF only, no NUL, lines of at most 998 octets, CRLF at the end, no Bcc."""
    assert not set(b"\r\n\0") & set(content.replace(b"\r\n", b""))
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.endswith(b"\r\n")
    assert not content.lower().startswith(b"bcc:")
    assert b"\r\nbcc:" not in content.partition(b"\r\n\r\n")[0].lower()

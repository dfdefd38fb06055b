"""Mails as JSON, and their story, whatever stands in the documents."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import history, view
from tasks.operating.mails import Mail
from tests.support import console_mails
from tests.support.histories import NOON, past


FIELDS = (
    *("_id", "to", "cc", "from", "sendAt", "transport", "priority", "message", "template"),
    *(f"delivery.{name}" for name in (
        *("state", "startTime", "endTime", "error", "attempts", "retries", "throttled"),
        *("lostClaims", "info", "errors", "worker", "phase", "waitsFor", "nextAttemptTime"),
        *("leaseExpireTime", "expireAt", "inDoubt"),
    )),
    *("delivery", "delivery.info.accepted", "delivery.info.duplicateOf", "message.attachments"),
)  # fmt: skip

VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(),
        st.binary(max_size=9),
        st.text(max_size=9), st.sampled_from(["ERROR", "PENDING", "RETRY", "SUCCESS", "SENDING"]),
        st.just(bson.ObjectId("66f000000000000000000001")), st.just(bson.DatetimeMS(2**60)),
        st.just(NOON), st.just(bson.DBRef("mail", 1)), st.just(bson.Decimal128("1.5")),
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["cid", "filename", "recipient", "html"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(FIELDS), VALUES), max_size=6))
def test_no_value_is_too_strange(changes: list[tuple[str, Any]]) -> None:
    """Whatever a service writes anywhere, there is a line and a page, and they are JSON."""
    document = past(1)
    for path, value in changes:
        place: Any = document
        *parents, last = path.split(".")
        for name in parents:
            place = place.get(name) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[last] = value

    mail = Mail.of(document)

    json.dumps(view.line(mail))
    json.dumps(view.whole(mail, "http://127.0.0.1:5555"))


def test_a_line_is_short() -> None:
    """A document of megabytes makes a line of kilobytes."""
    long = "x" * 1_000_000
    mail = past(1, "ERROR", error=long) | {"to": [long] * 100, "message": {"subject": long}}

    assert len(json.dumps(view.line(Mail.of(mail)))) < 20_000


@pytest.mark.parametrize(
    ("state", "can"),
    [
        ("ERROR", ["retry"]),
        ("CANCELLED", ["retry"]),
        ("SUCCESS", ["resend"]),
        ("PENDING", ["cancel"]),
        ("RETRY", ["cancel"]),
        ("PROCESSING", []),
        ("DRAFT", []),
    ],
)
def test_what_can_be_done(state: str, can: list[str]) -> None:
    """The buttons of a mail are those that would do something."""
    assert view.whole(Mail.of(past(1, state)), None)["can"] == can


def test_those_that_got_nothing_come_first() -> None:
    """Whoever looks for the one refusal among a thousand finds it."""
    mail = past(1, info={"accepted": ["a"], "rejected": ["r"], "pending": ["p"]})

    answers = view.whole(Mail.of(mail), None)["answers"]

    assert [each["recipient"] for each in answers] == ["r", "p", "a"]


def _story(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step.kind, step.text) for step in history.steps(Mail.of(document))]


def test_the_story_of_a_failure() -> None:
    """From the insert to the end, and what comes after it."""
    id = bson.ObjectId.from_datetime(NOON)
    later = NOON + dt.timedelta(days=1)
    mail = past(1, "ERROR", attempts=3, retries=2, expireAt=later) | {"_id": id, "sendAt": NOON}

    assert _story(mail) == [
        ("past", "Inserted (by its id, which its service made)"),
        ("past", "Seen by the watcher"),
        ("past", "To be sent from then on (sendAt)"),
        ("past", "3 attempts (2 automatic retries)"),
        ("past", "Failed"),
        ("ahead", "Removed from MongoDB"),
    ]


@pytest.mark.parametrize(
    ("document", "last"),
    [
        ({"_id": 1}, ("now", "The watcher has not seen it yet")),
        (past(1, "PENDING"), ("now", "Waits to be sent")),
        (past(1, "PENDING", waitsFor="RATE_LIMIT"), ("now", "Waits for RATE_LIMIT")),
        (past(1, "RETRY", nextAttemptTime=NOON), ("ahead", "Looked at again")),
        (past(1, "PROCESSING"), ("now", "A worker prepares it")),
        (past(1, "PROCESSING", phase="SENDING"), ("now", "A worker is sending it")),
        (past(1, "ERROR", inDoubt=True), ("past", "In doubt: somebody may have got it")),
        (
            past(1, "ERROR", info={"duplicateOf": 7}),
            ("past", "Not sent: a duplicate of 7"),
        ),
    ],
)
def test_what_a_mail_does_now(document: dict[str, Any], last: tuple[str, str]) -> None:
    """The last line says where it stands."""
    assert _story(document)[-1] == last


def test_the_hostile_mail_is_told() -> None:
    """Every value of it comes out as it is: making text of it is the page's work."""
    page = view.whole(Mail.of(console_mails.hostile(NOON)), None)

    assert page["error"] == console_mails.HOSTILE
    assert page["answers"][0]["code"] is None
    assert page["attachments"] == [console_mails.HOSTILE, "without a name"]

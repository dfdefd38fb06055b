"""A mail as people look at it, whatever stands in the document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bson import DBRef
from hypothesis import given
from hypothesis import strategies as st

from tasks.delivery import states
from tasks.operating import records
from tasks.operating.mails import Answer, Mail


def test_a_whole_story() -> None:
    """The outcome of each recipient with the server's words."""
    mail = Mail.of(
        {
            "_id": 1,
            "to": ["a@example.com", "B <b@example.com>"],
            "cc": "c@example.com",
            "toUids": ["u1", "u2"],
            "message": {"subject": "Hello"},
            "delivery": {
                "state": "SUCCESS",
                "info": {
                    "accepted": ["a@example.com"],
                    "rejected": ["b@example.com"],
                    "pending": ["c@example.com"],
                },
                "errors": [
                    {"recipient": "b@example.com", "code": 550, "response": "no such user"},
                    {"recipient": "c@example.com", "code": 452, "response": "full"},
                ],
            },
        }
    )

    assert mail.recipients == ("a@example.com", "B <b@example.com>", "c@example.com")
    assert (mail.uids, mail.subject, mail.is_settled) == (2, "Hello", True)
    assert mail.answers == (
        Answer("a@example.com", "accepted"),
        Answer("b@example.com", "rejected", 550, "no such user"),
        Answer("c@example.com", "pending", 452, "full"),
    )


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "NEW"),
        ({"delivery": None}, "NEW"),
        ({"delivery": {}}, "NEW"),
        ({"delivery": "SUCCESS"}, "malformed"),
        ({"delivery": [{"state": "SUCCESS"}]}, "malformed"),
        ({"delivery": {"state": ["SUCCESS"]}}, "malformed"),
        ({"delivery": DBRef("a", 1)}, "malformed"),
        ({"delivery": {"state": "held back"}}, "held back"),
    ],
)
def test_states(fields: dict[str, Any], state: str) -> None:
    """Of whatever type `delivery` is."""
    assert Mail.of({"_id": 1, **fields}).state == state


@pytest.mark.parametrize(
    ("delivery", "in_doubt"),
    [
        ({"state": "ERROR", "inDoubt": True}, True),
        ({"state": "ERROR", "error": states.LEASE_EXPIRED}, True),
        ({"state": "ERROR", "info": {"accepted": ["a@example.com"]}}, True),
        ({"state": "ERROR", "info": {"accepted": []}, "inDoubt": False}, False),
        ({"state": "SUCCESS", "info": {"accepted": ["a@example.com"]}}, False),
    ],
)
def test_in_doubt(delivery: dict[str, Any], in_doubt: bool) -> None:  # noqa: FBT001 - a table
    """A failed mail that somebody may have got all the same."""
    assert Mail.of({"_id": 1, "delivery": delivery}).in_doubt is in_doubt


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_NAMES = ("state", "startTime", "attempts", "error", "info", "errors", "worker", "inDoubt")


@given(
    st.fixed_dictionaries(
        {
            "delivery": _ANYTHING
            | st.fixed_dictionaries(dict.fromkeys(_NAMES, _ANYTHING))
            | st.fixed_dictionaries({"info": st.fixed_dictionaries({"accepted": _ANYTHING})}),
            "to": _ANYTHING,
            "toUids": _ANYTHING,
            "message": _ANYTHING,
            "template": _ANYTHING,
            "priority": _ANYTHING,
        }
    )
)
def test_no_document_is_too_strange(fields: dict[str, Any]) -> None:
    """It is read, and is JSON."""
    json.dumps(records.of_mail(Mail.of({"_id": 1, **fields})))

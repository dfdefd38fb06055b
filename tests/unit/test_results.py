"""What an attempt writes when it ends."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import bson
import pytest

from tasks.delivery import results
from tasks.delivery.claim import Claim
from tasks.delivery.earlier import Earlier
from tasks.delivery.results import Again
from tasks.delivery.states import State
from tasks.envelope import Mail, Rejection
from tasks.errors import InvalidDocument, Permanent, Problem, ProblemCode, Transient, UnknownOutcome
from tasks.outcome import Outcome


CLAIM = Claim("id", {}, "worker:1", 1, 0.0)
MAIL = Mail(
    "from@example.com",
    ("a@example.com",),
    b"",
    "<id@example.com>",
    rejected=(Rejection("bad@@x", None, "Invalid address."),),
)


def test_every_recipient_refused_by_a_talkative_server_fits_into_the_document() -> None:
    """10,000 recipients, each with 2,000 characters of reasons: far below 16 MB."""
    recipients = tuple(f"recipient{number}@example.com" for number in range(10_000))
    errors = tuple(Rejection(each, 550, "no " * 700) for each in recipients)

    result = results.of_outcome(CLAIM, MAIL, Outcome((), rejected=recipients, errors=errors))

    assert len(bson.encode({"errors": result.errors, "info": result.info})) < 4_000_000


def test_a_transient_failure_leaves_the_recipients_pending() -> None:
    """Nobody was refused for good but the address we refused ourselves."""
    result = results.of_failure(CLAIM, MAIL, Transient("away", code=421, response="421 busy"))

    assert result.info is not None
    assert result.info["pending"] == ["a@example.com"]
    assert result.info["rejected"] == ["bad@@x"]
    assert [each["code"] for each in result.errors] == [None, 421]


def test_problems_of_a_document_stand_in_errors() -> None:
    """Each with its path and code, beside what earlier attempts have settled."""
    error = InvalidDocument(
        [
            Problem("message.subject", "is missing", ProblemCode.MISSING),
            Problem("to, cc, bcc:", "no recipient", ProblemCode.NO_RECIPIENT),
        ],
        unlisted=3,
    )

    result = results.of_failure(CLAIM, None, error)

    assert result.error == "message.subject is missing; to, cc, bcc: no recipient; and 3 more"
    assert result.errors == [
        {
            "recipient": None,
            "path": "message.subject",
            "code": "MISSING",
            "response": "is missing",
        },
        {
            "recipient": None,
            "path": "to, cc, bcc",
            "code": "NO_RECIPIENT",
            "response": "no recipient",
        },
    ]


def test_a_mail_that_cannot_be_composed_now_comes_back() -> None:
    """PENDING with its error when there is a next attempt; what earlier ones settled is kept."""
    delivery = {
        "retries": 1,
        "info": {"accepted": ["a@example.com"], "rejected": ["b@example.com"]},
        "errors": [{"recipient": "b@example.com", "code": 550, "response": "550 no"}],
    }
    claim = Claim("id", {"delivery": delivery}, "worker:1", 2, 0.0)
    later = Again(datetime.now(UTC))

    again = results.of_failure(claim, None, Transient("users cannot be read"), later)
    never = results.of_failure(claim, None, Permanent("no such file"), later)

    assert (again.state, again.again) == (State.PENDING, later)
    assert (never.state, never.again) == (State.ERROR, None)
    for result in (again, never):
        assert result.info is not None
        assert result.info["accepted"] == ["a@example.com"]
        assert [each["code"] for each in result.errors] == [550]


def test_missing_users_are_named() -> None:
    """info.missingUids, only where there are any."""
    accepted = Outcome(("a@example.com",))

    some = results.of_outcome(CLAIM, replace(MAIL, missing_uids=("u1", 5)), accepted)
    none = results.of_outcome(CLAIM, MAIL, accepted)

    assert some.info is not None
    assert none.info is not None
    assert some.info["missingUids"] == ["u1", 5]
    assert "missingUids" not in none.info


def test_a_permanent_failure_rejects_all() -> None:
    """Too large for the server, say."""
    result = results.of_failure(CLAIM, MAIL, Permanent("too large"))

    assert result.info is not None
    assert result.info["pending"] == []
    assert result.info["rejected"] == ["bad@@x", "a@example.com"]


def test_an_unknown_outcome_puts_nobody_anywhere() -> None:
    """Whether the recipients got it is what nobody knows."""
    result = results.of_failure(CLAIM, MAIL, UnknownOutcome("gone"))

    assert result.info is not None
    assert result.info["pending"] == result.info["accepted"] == []
    assert result.info["rejected"] == ["bad@@x"]


LATER = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = Claim(
    "id",
    {
        "delivery": {
            "retries": 1,
            "info": {
                "accepted": ["ok@x.example"],
                "rejected": ["no@x.example"],
                "pending": ["a@example.com"],
            },
            "errors": [
                {"recipient": "no@x.example", "code": 550, "response": "550 no"},
                {"recipient": "a@example.com", "code": 451, "response": "451 later"},
            ],
        }
    },
    "worker:2",
    2,
    0.0,
)
BUSY = Outcome(
    (),
    pending=("a@example.com",),
    errors=(Rejection("a@example.com", 451, "451 later"),),
    response="451 later",
)


def test_a_refusal_for_now_is_tried_again() -> None:
    """PENDING with the time, the count and the last error; no endTime, no expiry."""
    result = results.of_outcome(CLAIM, MAIL, BUSY, Again(LATER))

    set_ = result.changes(LATER, LATER)["$set"]
    assert set_["delivery.state"] == "PENDING"
    assert set_["delivery.nextAttemptTime"] == LATER
    assert set_["delivery.retries"] == 1
    assert set_["delivery.endTime"] is None
    assert "451 later" in set_["delivery.error"]
    assert "delivery.expireAt" not in set_


def test_an_attempt_that_met_a_throttling_server_does_not_count() -> None:
    """PENDING with the reason; the attempt is given back, and counted by itself."""
    again = Again(LATER, throttled=True, waits_for="example.com, which asked for fewer mails")

    result = results.of_outcome(CLAIM, MAIL, BUSY, again)

    update = result.changes(LATER, LATER)
    assert update["$set"]["delivery.state"] == "PENDING"
    assert update["$set"]["delivery.throttled"] == 1
    assert "delivery.retries" not in update["$set"]
    assert update["$set"]["delivery.waitsFor"] == again.waits_for
    assert "delivery.waitsFor" not in update["$unset"]
    assert update["$inc"] == {"delivery.attempts": -1}
    whole = result.whole(LATER, None)
    assert (whole["attempts"], whole["throttled"]) == (0, 1)


def test_who_has_an_answer_is_known_after_throttled_attempts_too() -> None:
    """The next attempt leaves out those who accepted, though no attempt has counted."""
    delivery = {"throttled": 2, "info": {"accepted": ["a@example.com"]}}

    earlier = Earlier.of({"delivery": delivery})

    assert (earlier.retries, earlier.throttled) == (0, 2)
    assert earlier.leave(MAIL).recipients == MAIL.recipients[1:]


def test_the_last_attempt_knows_what_the_others_settled() -> None:
    """Accepted and rejected earlier, accepted now: SUCCESS with all of them; the count goes."""
    result = results.of_outcome(SECOND, MAIL, Outcome(("a@example.com",), response="250 ok"))

    assert result.state is State.SUCCESS
    assert result.info is not None
    assert result.info["accepted"] == ["ok@x.example", "a@example.com"]
    assert result.info["rejected"] == ["no@x.example"]
    assert [each["recipient"] for each in result.errors] == ["no@x.example"]
    assert "delivery.retries" in result.changes(LATER, None)["$unset"]


def test_no_attempt_left() -> None:
    """Somebody had it earlier: SUCCESS, the others stay pending. Nobody had it: ERROR."""
    assert results.of_outcome(SECOND, MAIL, BUSY).state is State.SUCCESS
    assert results.of_outcome(CLAIM, MAIL, BUSY).state is State.ERROR


@pytest.mark.parametrize("error", [Permanent("no"), UnknownOutcome("gone")])
def test_only_what_may_help_is_tried_again(error: Any) -> None:
    """Neither a refusal for good nor a mail in doubt is repeated, whatever time there is."""
    assert results.of_failure(CLAIM, MAIL, error, Again(LATER)).state is State.ERROR


def test_recipients_with_an_answer_are_not_asked_again() -> None:
    """Whoever accepted or rejected earlier is left out; new ones are not."""
    mail = Mail(
        "f@x", ("ok@x.example", "a@example.com", "no@x.example", "new@x.example"), b"", "<i@x>"
    )

    assert SECOND.earlier.leave(mail).recipients == ("a@example.com", "new@x.example")


@pytest.mark.parametrize(
    "delivery",
    [
        {"info": {"accepted": ["a@example.com"]}},
        {"retries": 0, "info": {"accepted": ["a@example.com"]}},
        {"retries": True, "info": {"accepted": ["a@example.com"]}},
        {"retries": "1", "info": {"accepted": ["a@example.com"]}},
        {"retries": 1, "info": "a@example.com", "errors": 5},
        {"retries": 1, "info": {"accepted": {"0": "a@example.com"}}, "errors": [5, {}]},
    ],
)
def test_what_users_wrote_there_leaves_nobody_out(delivery: Any) -> None:
    """A finished mail's RETRY goes to all, and odd values count for nothing."""
    assert Earlier.of({"delivery": delivery}).leave(MAIL).recipients == MAIL.recipients


def test_forged_lists_cost_in_proportion() -> None:
    """A document holds 400,000 of each: looking each up in the other took the worker for hours."""
    started = time.process_time()

    rejected = [f"{number}" for number in range(30_000)]
    errors = [{"recipient": "nobody"} for _ in range(30_000)]
    forged = {"retries": 1, "info": {"rejected": rejected}, "errors": errors}
    earlier = Earlier.of({"delivery": forged})

    assert earlier.errors == ()
    assert time.process_time() - started < 2

"""What an attempt writes when it ends."""

from __future__ import annotations

import bson

from tasks.delivery import results
from tasks.delivery.claim import Claim
from tasks.envelope import Mail, Rejection
from tasks.errors import Permanent, Transient, UnknownOutcome
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

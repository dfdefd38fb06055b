"""Replies → outcome."""

from __future__ import annotations

import pytest

from tasks.envelope import Rejection
from tasks.transport.decisions import Stage
from tasks.transport.replies import Reply
from tasks.transport.verdicts import Answer, outcome


#: RFC 5321 sections 4.2.3 and 4.3.2, RFC 1870, RFC 4954, RFC 7504: what may answer MAIL, RCPT,
#: DATA and the final dot.
_CODES = [
    (250, "accepted"),  # ok
    (251, "accepted"),  # user not local; will forward
    (252, "accepted"),  # cannot verify, but will accept and try
    (421, "pending"),  # service not available
    (450, "pending"),  # mailbox unavailable: busy, greylisted
    (451, "pending"),  # local error in processing
    (452, "pending"),  # insufficient storage; too many recipients
    (454, "pending"),  # temporary authentication failure
    (455, "pending"),  # unable to accommodate parameters
    (499, "pending"),  # unknown code: the first digit counts (4.2.1)
    (500, "rejected"),  # syntax error
    (501, "rejected"),  # syntax error in parameters
    (502, "rejected"),  # not implemented
    (503, "rejected"),  # bad sequence
    (504, "rejected"),  # parameter not implemented
    (521, "rejected"),  # host does not accept mail
    (530, "pending"),  # authentication required: a setting of ours
    (550, "rejected"),  # mailbox unavailable: not found, policy
    (551, "rejected"),  # user not local; please try
    (552, "rejected"),  # exceeded storage allocation; too large
    (553, "rejected"),  # mailbox name not allowed
    (554, "rejected"),  # transaction failed
    (555, "rejected"),  # parameters not recognized
    (556, "rejected"),  # domain does not accept mail
]


@pytest.mark.parametrize(("code", "where"), _CODES)
def test_code(code: int, where: str) -> None:
    """The reply's first digit puts the recipient into exactly one list; a refusal says why."""
    reply = Reply(code, (b"words",))

    result = outcome([Answer("a@example.com", Stage.DATA, reply)], (), reply)

    lists = {"accepted": result.accepted, "rejected": result.rejected, "pending": result.pending}
    refusal = Rejection("a@example.com", code, f"{code} words")
    assert lists == {name: ("a@example.com",) if name == where else () for name in lists}
    assert result.errors == (() if where == "accepted" else (refusal,))
    assert result.response == f"{code} words"


def test_mixed() -> None:
    """Each recipient has its own verdict; those we refused ourselves come first."""
    ours = Rejection("bad", None, "is not an address")
    last = Reply(250, (b"queued",))
    answers = [
        Answer("yes@x", Stage.DATA, last),
        Answer("later@x", Stage.RCPT, Reply(450, (b"busy",))),
        Answer("slower@x", Stage.RCPT, Reply(450, (b"4.7.1 slower",))),
        Answer("no@x", Stage.RCPT, Reply(550, (b"5.1.1 unknown",))),
        Answer("too@x", Stage.DATA, last),
    ]

    result = outcome(answers, (ours,), last)

    assert result.accepted == ("yes@x", "too@x")
    assert result.pending == ("later@x", "slower@x")
    assert result.throttled == ("slower@x",)
    assert result.rejected == ("bad", "no@x")
    assert result.errors == (
        ours,
        Rejection("later@x", 450, "450 busy"),
        Rejection("slower@x", 450, "450 4.7.1 slower"),
        Rejection("no@x", 550, "550 5.1.1 unknown", hard_bounce=True),
    )
    assert result.response == "250 queued"

"""The decision table, row by row, each with its source."""

from __future__ import annotations

import pytest

from tasks.transport.decisions import Decision, Stage, Verdict, decide
from tasks.transport.replies import Reply


MAIL, RCPT, DATA = Stage.MAIL, Stage.RCPT, Stage.DATA
ANY = (MAIL, RCPT, DATA)

ACCEPTED = Decision(Verdict.ACCEPTED)
REJECTED = Decision(Verdict.REJECTED)
HARD_BOUNCE = Decision(Verdict.REJECTED, hard_bounce=True)
PENDING = Decision(Verdict.PENDING)
THROTTLED = Decision(Verdict.THROTTLED)

ROWS: list[tuple[tuple[Stage, ...], str, Decision, str]] = [
    # 2xx
    (ANY, "250 2.1.5 Ok", ACCEPTED, "RFC 5321 4.2.1: the first digit decides"),
    (ANY, "250", ACCEPTED, "RFC 5321 4.2: the text may be missing"),
    ((RCPT,), "251 2.1.5 User not local; will forward", ACCEPTED, "RFC 5321 3.4"),
    ((RCPT,), "252 2.0.0 Cannot verify, but will try", ACCEPTED, "RFC 5321 3.5.3"),
    # 421
    (ANY, "421 Service not available", THROTTLED, "RFC 5321 3.8: answers any command"),
    (ANY, "421 4.7.0 [TSS04] Messages temporarily deferred", THROTTLED, "Yahoo's postmaster page"),
    (ANY, "421 4.7.28 Unusual rate of unsolicited mail", THROTTLED, "Gmail's SMTP errors"),
    (ANY, "421 4.3.2 All server ports are busy", THROTTLED, "RFC 3463 X.3.2: excessive load"),
    (ANY, "421 5.7.0 Too many", THROTTLED, "RFC 2034 4: a class that contradicts says nothing"),
    (ANY, "421 4.4.2 Timeout exceeded", PENDING, "RFC 3463 X.4.2: a timeout, not too many mails"),
    # 4.7.x, 454
    (ANY, "450 4.7.1 Greylisted", THROTTLED, "RFC 3463 X.7: policy; RFC 6647 2.1"),
    (ANY, "451 4.7.650 Temporarily rate limited", THROTTLED, "Outlook.com's postmaster page"),
    ((DATA,), "454 Throttling failure: Maximum sending rate exceeded", THROTTLED, "Amazon SES"),
    (ANY, "451 4.70.1 Odd", PENDING, "RFC 3463 2: the subject is a number, 70 is not 7"),
    # Other 4xx
    (ANY, "450 Mailbox busy", PENDING, "RFC 5321 4.2.1: the first digit decides"),
    ((RCPT,), "450 4.2.1 Receiving mail too quickly", PENDING, "Gmail: one mailbox, no domain"),
    ((RCPT,), "451 4.3.0 Local error in processing", PENDING, "RFC 5321 4.2.3"),
    ((RCPT,), "452 4.2.2 Mailbox full", PENDING, "RFC 3463 X.2.2"),
    ((RCPT,), "452 4.5.3 Too many recipients", PENDING, "RFC 5321 4.5.3.1.10"),
    ((MAIL, DATA), "452 4.3.1 Insufficient system storage", PENDING, "RFC 5321 4.2.3"),
    ((MAIL, RCPT), "455 Parameters not accommodated", PENDING, "RFC 5321 4.2.3"),
    ((RCPT,), "450 5.1.1 No such user", PENDING, "RFC 2034 4: the reply code decides"),
    (ANY, "499 4.9.9 Unknown", PENDING, "RFC 5321 4.2.1: unknown codes by their first digit"),
    # Settings of ours
    (ANY, "530 5.7.0 Authentication required", PENDING, "RFC 4954 6"),
    (ANY, "530 5.7.0 Must issue a STARTTLS command first", PENDING, "RFC 3207 4"),
    (ANY, "534 5.7.9 Authentication mechanism is too weak", PENDING, "RFC 4954 6"),
    (ANY, "535 5.7.8 Authentication credentials invalid", PENDING, "RFC 4954 6"),
    (ANY, "538 5.7.11 Encryption required for this mechanism", PENDING, "RFC 4954 6, RFC 5248"),
    (ANY, "523 5.7.10 Encryption needed", PENDING, "RFC 5248 2.4"),
    # 552: too many recipients, or too large
    ((RCPT,), "552 Too many recipients", PENDING, "RFC 5321 4.5.3.1.10: temporary"),
    ((RCPT,), "552 5.5.3 Too many recipients", PENDING, "RFC 5321 4.5.3.1.10; RFC 3463 X.5.3"),
    ((RCPT,), "552 5.2.2 Mailbox full", REJECTED, "RFC 3463 X.2.2, and the class is 5"),
    ((MAIL, RCPT, DATA), "552 5.3.4 Message too big", REJECTED, "RFC 1870 6.1; RFC 3463 X.3.4"),
    ((MAIL, DATA), "552 Message size exceeds fixed limit", REJECTED, "RFC 1870 6.1"),
    # Nobody there
    ((RCPT,), "550 5.1.1 User unknown", HARD_BOUNCE, "RFC 3463 X.1.1: does not exist"),
    ((RCPT,), "553 5.1.1 User unknown", HARD_BOUNCE, "RFC 3463: the code is the mailbox's"),
    ((RCPT,), "551 5.1.6 Moved", HARD_BOUNCE, "RFC 3463 X.1.6: mail is no longer accepted"),
    ((RCPT,), "556 5.1.10 Null MX", HARD_BOUNCE, "RFC 7505 4.2; RFC 7504"),
    ((RCPT,), "550 5.1.10 Null MX", HARD_BOUNCE, "RFC 7505 4.2"),
    ((MAIL, DATA), "550 5.1.1 Unknown", REJECTED, "of the mail, so it names no recipient"),
    ((RCPT,), "550 No such user", REJECTED, "RFC 5321 4.2.2: 550 may also be a policy"),
    ((RCPT,), "550 5.1.15 Odd", REJECTED, "RFC 3463 2: 15 is not 1"),
    ((RCPT,), "550 5.1.0 Address rejected", REJECTED, "RFC 3463 X.1.0: other"),
    ((RCPT,), "550 5.1.2 Domain not found", REJECTED, "a relay's bad DNS says so of good domains"),
    ((RCPT,), "501 5.1.3 Bad address syntax", REJECTED, "a bad parser says so of good addresses"),
    ((RCPT,), "550 5.2.1 Disabled", REJECTED, "RFC 3463 X.2.1: perhaps for now only; Gmail"),
    ((RCPT,), "550 5.7.1 Blocked", REJECTED, "RFC 3463 X.7.1: our reputation, not the address"),
    ((RCPT,), "554 5.7.1 Relay access denied", REJECTED, "RFC 3463 X.7.1"),
    ((RCPT,), "556 Domain does not accept mail", REJECTED, "RFC 7504 3: may name a relay"),
    ((RCPT,), "550 4.1.1 Unknown", REJECTED, "RFC 2034 4: the reply code decides"),
    # Other 5xx
    (ANY, "500 5.5.2 Syntax error", REJECTED, "RFC 5321 4.2.2"),
    (ANY, "503 5.5.1 Bad sequence of commands", REJECTED, "RFC 5321 4.2.2"),
    ((MAIL, RCPT), "521 Host does not accept mail", REJECTED, "RFC 7504 2"),
    ((MAIL,), "550 5.7.1 Sender refused", REJECTED, "RFC 5321 4.2.2"),
    ((MAIL, RCPT), "555 5.5.4 Parameters not recognized", REJECTED, "RFC 5321 4.2.2"),
    ((DATA,), "554 Transaction failed", REJECTED, "RFC 5321 4.2.2"),
    ((DATA,), "554 5.7.1 Message rejected as spam", REJECTED, "RFC 3463 X.7.1"),
    ((DATA,), "550 5.7.26 Unauthenticated mail", REJECTED, "RFC 7372"),
]  # fmt: skip
CASES = [
    pytest.param(stage, said, expected, id=f"{stage.value} {said}")
    for stages, said, expected, _source in ROWS
    for stage in stages
]


@pytest.mark.parametrize(("stage", "said", "expected"), CASES)
def test_row(stage: Stage, said: str, expected: Decision) -> None:
    """One row of the table."""
    reply = Reply(int(said[:3]), (said[4:].encode(),))

    assert decide(stage, reply) == expected


@pytest.mark.parametrize("code", range(200, 600))
def test_every_code_has_a_verdict_of_its_class(code: int) -> None:
    """No code raises; 2xx is accepted; only a 5xx is ever final; only a 4xx ever throttles."""
    for stage in Stage:
        for text in (b"", b"words", b"4.7.1 x", b"5.1.1 x", b"2.0.0 x"):
            verdict = decide(stage, Reply(code, (text,))).verdict

            assert (verdict is Verdict.ACCEPTED) == (code < 300)
            assert verdict is not Verdict.REJECTED or code >= 500
            assert verdict is not Verdict.THROTTLED or 400 <= code < 500

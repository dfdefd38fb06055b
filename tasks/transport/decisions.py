"""What a reply means for a mail: the decision table, a pure function."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tasks.transport.replies import CLOSING, Reply


class Stage(Enum):
    """The command that was answered."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"  #: DATA itself, or the final dot


class Verdict(Enum):
    """What becomes of the recipient."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"  #: for good
    PENDING = "pending"  #: for now
    THROTTLED = "throttled"  #: for now, and the server asks for fewer mails


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict. `hard_bounce`: nobody will ever get mail at this address."""

    verdict: Verdict
    hard_bounce: bool = False


_ACCEPTED = Decision(Verdict.ACCEPTED)
_REJECTED = Decision(Verdict.REJECTED)
_PENDING = Decision(Verdict.PENDING)
_THROTTLED = Decision(Verdict.THROTTLED)
_HARD_BOUNCE = Decision(Verdict.REJECTED, hard_bounce=True)

#: RFC 4954, RFC 3207, RFC 5248: authentication or encryption is needed, or not good enough. That is
#: a setting of ours, not the mail's fault.
_SETTINGS = (523, 530, 534, 535, 538)
#: Amazon SES: "454 Throttling failure". (RFC 4954 and RFC 3207 know it only before a mail begins.)
_THROTTLING = 454
#: A timeout on the connection (RFC 3463 X.4.2) says nothing about too many mails.
_TIMED_OUT = "4.4.2"
#: No such mailbox; moved, no forwarding; the domain takes no mail at all (RFC 7505). Not 5.1.2 and
#: 5.1.3 (no such domain, bad syntax), which a relay's bad DNS or bad parser says of good addresses;
#: not 5.2.1 (disabled), which Gmail also says of a mailbox that gets too much mail at the moment.
_HARD_BOUNCES = ("5.1.1", "5.1.6", "5.1.10")
_STORAGE = 552
#: What a server means by 552 that is not "mailbox full" or "too large": "too many recipients".
_TOO_MANY_RECIPIENTS = (None, "5.5.3")


def decide(stage: Stage, reply: Reply) -> Decision:
    """Tell what a reply decides; its enhanced status code counts where it does not contradict."""
    if reply.positive:
        return _ACCEPTED
    if reply.never:
        return _refused(stage, reply.code, reply.enhanced)
    if reply.later and _throttles(reply.code, reply.enhanced):
        return _THROTTLED
    return _PENDING


def _throttles(code: int, enhanced: str | None) -> bool:
    if enhanced is not None and enhanced.startswith("4.7."):
        return True
    return code == _THROTTLING or (code == CLOSING and enhanced != _TIMED_OUT)


def _refused(stage: Stage, code: int, enhanced: str | None) -> Decision:
    if code in _SETTINGS:
        return _PENDING
    if stage is not Stage.RCPT:
        return _REJECTED
    if code == _STORAGE and enhanced in _TOO_MANY_RECIPIENTS:
        return _PENDING
    return _HARD_BOUNCE if enhanced in _HARD_BOUNCES else _REJECTED

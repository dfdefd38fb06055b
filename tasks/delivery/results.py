"""What an attempt writes into `delivery` when it ends: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from config.mongo import Document
from tasks.delivery import states
from tasks.delivery.claim import Claim
from tasks.delivery.states import State
from tasks.envelope import Mail, Rejection
from tasks.errors import MailError, Transient, UnknownOutcome
from tasks.outcome import Outcome


#: Characters kept of a text of the server's or of ours.
TEXT_LIMIT = 2000
#: The same, where there are so many texts that a document could not hold them.
MANY, TEXT_LIMIT_OF_MANY = 100, 200
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Result:
    """The end of one attempt."""

    claim: Claim
    state: State
    error: str | None = None
    info: Document | None = None
    errors: list[Document] = field(default_factory=list)

    def changes(self, now: datetime, expire: datetime | None) -> Document:
        """Make the update that writes it."""
        changes: Document = {
            "delivery.state": self.state.value,
            "delivery.endTime": now,
            "delivery.error": self.error,
            "delivery.errors": self.errors,
            "delivery.info": self.info,
            "delivery.leaseExpireTime": None,
        }
        if expire is not None:
            changes["delivery.expireAt"] = expire
        return {"$set": changes, "$unset": {"delivery.phase": "", "delivery.lostClaims": ""}}

    def whole(self, now: datetime, expire: datetime | None) -> Document:
        """Make the `delivery` that says the same in a document of its own."""
        changes = self.changes(now, expire)["$set"]
        fields = {name.removeprefix("delivery."): value for name, value in changes.items()}
        start = states.subdocument(self.claim.document).get("startTime", now)
        return {"startTime": start, "attempts": self.claim.attempt, **fields}

    def minimal(self) -> Result:
        """Make the same result for a document that has no room for more."""
        error = self.error and self.error[:100]
        return Result(self.claim, self.state, error, {"response": "left out: no room below 16 MB"})


def of_outcome(claim: Claim, mail: Mail, outcome: Outcome) -> Result:
    """SUCCESS when the server took the mail for at least one recipient, else ERROR."""
    info = {
        "messageId": mail.message_id,
        "accepted": list(outcome.accepted),
        "rejected": list(outcome.rejected),
        "pending": list(outcome.pending),
        "response": _short(outcome.response),
    }
    errors = _errors(outcome.errors)
    if outcome.accepted:
        return Result(claim, State.SUCCESS, None, info, errors)
    return Result(claim, State.ERROR, _refusals(outcome), info, errors)


def of_failure(claim: Claim, mail: Mail | None, error: MailError) -> Result:
    """ERROR: the attempt ended before the server answered for the recipients."""
    if mail is None:
        return Result(claim, State.ERROR, _short(str(error)))
    refused = [rejection.recipient for rejection in mail.rejected]
    open_ = [] if isinstance(error, UnknownOutcome) else list(mail.recipients)
    info = {
        "messageId": mail.message_id,
        "accepted": [],
        "rejected": refused if isinstance(error, Transient | UnknownOutcome) else refused + open_,
        "pending": open_ if isinstance(error, Transient) else [],
        "response": _short(error.response),
    }
    reason = error.response or str(error)
    errors = [*mail.rejected, *(Rejection(each, error.code, reason) for each in open_)]
    return Result(claim, State.ERROR, _short(str(error)), info, _errors(errors))


def of_bug(claim: Claim, error: Exception, *, sending: bool) -> Result:
    """ERROR for a mistake of ours, named as one; the log has the traceback."""
    text = f"internal error, please report it: {type(error).__name__}"
    if sending:
        text += "; it is unknown whether the mail was sent"
    return Result(claim, State.ERROR, text)


def _refusals(outcome: Outcome) -> str:
    lines = [f"{each.recipient}: {each.response}" for each in outcome.errors[:_NAMED]]
    if len(outcome.errors) > _NAMED:
        lines.append(f"and {len(outcome.errors) - _NAMED} more in delivery.errors")
    return _short("no recipient was accepted: " + "; ".join(lines)) or ""


def _errors(rejections: Sequence[Rejection]) -> list[Document]:
    limit = TEXT_LIMIT if len(rejections) <= MANY else TEXT_LIMIT_OF_MANY
    return [
        {"recipient": each.recipient, "code": each.code, "response": _short(each.response, limit)}
        for each in rejections
    ]


def _short(text: str | None, limit: int = TEXT_LIMIT) -> str | None:
    return text if text is None or len(text) <= limit else text[:limit] + "…"

"""What an attempt writes into `delivery` when it ends: pure functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from config.mongo import Document
from tasks.delivery import states
from tasks.delivery.claim import Claim
from tasks.delivery.states import State
from tasks.envelope import Mail, Rejection
from tasks.errors import InvalidDocument, MailError, Transient, UnknownOutcome
from tasks.outcome import Outcome


#: Characters kept of a text of the server's or of ours.
TEXT_LIMIT = 2000
#: The same, where there are so many texts that a document could not hold them.
MANY, TEXT_LIMIT_OF_MANY = 100, 200
_NAMED = 3
DUPLICATE_IN_DOUBT = (
    "idempotencyKey: nothing was sent, because it is in doubt whether the mail of info.duplicateOf,"
    " which has the same key, was sent. Settle that one, then set delivery.state to RETRY here."
)


@dataclass(frozen=True, slots=True)
class Again:
    """The next automatic attempt. `throttled`: this one does not count, as the server had too much.

    `waits_for`: why it is not sooner, for a person.
    """

    at: datetime
    throttled: bool = False
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The end of one attempt. State PENDING: the next one is `again`."""

    claim: Claim
    state: State
    error: str | None = None
    info: Document | None = None
    errors: list[Document] = field(default_factory=list)
    again: Again | None = None
    #: Nobody knows whether it was sent.
    in_doubt: bool = False

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
        removed = {f"delivery.{name}": "" for name in ("phase", "lostClaims", "waitsFor")}
        if self.in_doubt:
            changes["delivery.inDoubt"] = True
        else:
            removed["delivery.inDoubt"] = ""
        if self.again is not None:
            return self._waiting(changes, removed, self.again)
        if expire is not None:
            changes["delivery.expireAt"] = expire
        series = {"delivery.retries": "", "delivery.throttled": ""}
        return {"$set": changes, "$unset": {**removed, **series}}

    def _waiting(self, changes: Document, removed: Document, again: Again) -> Document:
        earlier = self.claim.earlier
        count = "throttled" if again.throttled else "retries"
        changes |= {
            "delivery.endTime": None,
            # The watcher knows it as our own write, and waits for its time.
            "delivery.enqueueTime": None,
            "delivery.nextAttemptTime": again.at,
            f"delivery.{count}": getattr(earlier, count) + 1,
        }
        if again.waits_for is not None:
            changes["delivery.waitsFor"] = again.waits_for
            del removed["delivery.waitsFor"]
        update = {"$set": changes, "$unset": removed}
        return {**update, "$inc": {"delivery.attempts": -1}} if again.throttled else update

    def whole(self, now: datetime, expire: datetime | None) -> Document:
        """Make the `delivery` that says the same in a document of its own."""
        changes = self.changes(now, expire)["$set"]
        fields = {name.removeprefix("delivery."): value for name, value in changes.items()}
        start = states.subdocument(self.claim.document).get("startTime", now)
        uncounted = self.again is not None and self.again.throttled
        attempts = self.claim.attempt - 1 if uncounted else self.claim.attempt
        return {"startTime": start, "attempts": attempts, **fields}

    def minimal(self) -> Result:
        """Make the same result for a document that has no room for more."""
        error = self.error and self.error[:100]
        state = State.ERROR if self.again else self.state
        info = {"response": "left out: no room below 16 MB"}
        return Result(self.claim, state, error, info, in_doubt=self.in_doubt)


def of_outcome(claim: Claim, mail: Mail, outcome: Outcome, again: Again | None = None) -> Result:
    """Say how the server answered, together with what earlier attempts have settled.

    PENDING when somebody was refused for now and there is a next attempt; else SUCCESS when the
    server took the mail for at least one recipient; else ERROR.
    """
    whole = _with_earlier(claim, outcome)
    info: Document = {
        "messageId": mail.message_id,
        "accepted": list(whole.accepted),
        "rejected": list(whole.rejected),
        "pending": list(whole.pending),
        "response": _short(whole.response),
    }
    if mail.missing_uids:
        info["missingUids"] = list(mail.missing_uids)
    errors = _errors(whole.errors)
    if whole.pending and again is not None:
        return Result(claim, State.PENDING, _refusals(outcome), info, errors, again)
    if whole.accepted:
        return Result(claim, State.SUCCESS, None, info, errors)
    return Result(claim, State.ERROR, _refusals(whole), info, errors)


def of_failure(
    claim: Claim, mail: Mail | None, error: MailError, again: Again | None = None
) -> Result:
    """Say why the server did not answer for the recipients.

    PENDING when nothing was sent, trying again may help, and there is a next attempt. Else ERROR,
    also when earlier attempts reached some: those stand in info.accepted. `mail`: None when it
    could not even be composed.
    """
    text = _short(str(error))
    transient = isinstance(error, Transient)
    if mail is None:
        again = again if transient else None
        state = State.PENDING if again else State.ERROR
        errors = [*_problems(error), *_errors(claim.earlier.errors)]
        return Result(claim, state, text, _settled(claim), errors, again)
    open_ = () if isinstance(error, UnknownOutcome) else mail.recipients
    refused = tuple(each.recipient for each in mail.rejected)
    reason = error.response or str(error)
    outcome = Outcome(
        accepted=(),
        rejected=refused if transient else (*refused, *open_),
        pending=open_ if transient else (),
        errors=(*mail.rejected, *(Rejection(each, error.code, reason) for each in open_)),
        response=error.response,
    )
    if again is not None and transient:
        return dataclasses.replace(of_outcome(claim, mail, outcome, again), error=text)
    ended = of_outcome(claim, mail, outcome)
    in_doubt = isinstance(error, UnknownOutcome)
    return dataclasses.replace(ended, state=State.ERROR, error=text, in_doubt=in_doubt)


def of_duplicate(claim: Claim, mail: Mail, original: Any, *, sent: bool) -> Result:
    """End a mail whose idempotencyKey another one has: `sent`, or nobody knows whether it was.

    `original`: the `_id` of that one.
    """
    info: Document = {
        "messageId": mail.message_id,
        "accepted": [],
        "rejected": [],
        "pending": [],
        "response": None,
        "duplicateOf": original,
    }
    return Result(
        claim, State.SUCCESS if sent else State.ERROR, None if sent else DUPLICATE_IN_DOUBT, info
    )


def of_bug(claim: Claim, error: Exception, *, sending: bool) -> Result:
    """ERROR for a mistake of ours, named as one; the log has the traceback."""
    text = f"internal error, please report it: {type(error).__name__}"
    if sending:
        text += "; it is unknown whether the mail was sent"
    return Result(claim, State.ERROR, text, _settled(claim), in_doubt=sending)


def _settled(claim: Claim) -> Document | None:
    """Keep what earlier attempts have settled, when this one found out nothing."""
    earlier = claim.earlier
    if not earlier.any:
        return None
    return {"accepted": list(earlier.accepted), "rejected": list(earlier.rejected), "pending": []}


def _with_earlier(claim: Claim, outcome: Outcome) -> Outcome:
    earlier = claim.earlier
    return dataclasses.replace(
        outcome,
        accepted=(*earlier.accepted, *outcome.accepted),
        rejected=(*earlier.rejected, *outcome.rejected),
        errors=(*earlier.errors, *outcome.errors),
    )


def _refusals(outcome: Outcome) -> str:
    lines = [f"{each.recipient}: {each.response}" for each in outcome.errors[:_NAMED]]
    if len(outcome.errors) > _NAMED:
        lines.append(f"and {len(outcome.errors) - _NAMED} more in delivery.errors")
    said = "not every" if outcome.accepted else "no"
    return _short(f"{said} recipient was accepted: " + "; ".join(lines)) or ""


def _errors(rejections: Sequence[Rejection]) -> list[Document]:
    limit = TEXT_LIMIT if len(rejections) <= MANY else TEXT_LIMIT_OF_MANY
    return [
        {"recipient": each.recipient, "code": each.code, "response": _short(each.response, limit)}
        for each in rejections
    ]


def _problems(error: MailError) -> list[Document]:
    """List what is wrong with the document, in the shape of `_errors`."""
    details = error.details if isinstance(error, InvalidDocument) else ()
    return [
        {
            "recipient": None,
            "path": each.path.rstrip(":"),
            "code": each.code.value,
            "response": _short(each.text),
        }
        for each in details
    ]


def _short(text: str | None, limit: int = TEXT_LIMIT) -> str | None:
    return text if text is None or len(text) <= limit else text[:limit] + "…"

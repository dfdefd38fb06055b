"""Replies → outcome: pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.envelope import Rejection
from tasks.outcome import Outcome
from tasks.transport.replies import Reply


def outcome(
    answers: Sequence[tuple[str, Reply]], refused_here: Sequence[Rejection], last: Reply
) -> Outcome:
    """Sort recipients by the reply that decided on each (RFC 5321 section 4.2.1).

    2xx: accepted. 4xx: pending. 5xx: rejected, like those of `refused_here`, which the server
    was never asked about. `last` is the reply that decided on the mail.
    """
    accepted = [recipient for recipient, reply in answers if reply.positive]
    if len(accepted) == len(answers) and not refused_here:
        return Outcome(tuple(accepted), response=str(last))
    refusals = [
        Rejection(recipient, reply.code, str(reply))
        for recipient, reply in answers
        if not reply.positive
    ]
    pending = [recipient for recipient, reply in answers if reply.later]
    rejected = [recipient for recipient, reply in answers if reply.never]
    return Outcome(
        accepted=tuple(accepted),
        rejected=(*(each.recipient for each in refused_here), *rejected),
        pending=tuple(pending),
        errors=(*refused_here, *refusals),
        response=str(last),
    )

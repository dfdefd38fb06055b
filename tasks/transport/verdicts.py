"""Replies → outcome: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tasks.envelope import Rejection
from tasks.outcome import Outcome
from tasks.transport.decisions import Decision, Stage, Verdict, decide
from tasks.transport.replies import Reply


class Answer(NamedTuple):
    """The reply that decided on a recipient, and what it answered."""

    recipient: str
    stage: Stage
    reply: Reply


def outcome(answers: Sequence[Answer], refused_here: Sequence[Rejection], last: Reply) -> Outcome:
    """Sort recipients by the reply that decided on each.

    The server was never asked about those of `refused_here`. `last` is the reply that decided on
    the mail.
    """
    accepted = tuple(answer.recipient for answer in answers if answer.reply.positive)
    if len(accepted) == len(answers) and not refused_here:
        return Outcome(accepted, response=str(last))
    decided = [(answer, decide(answer.stage, answer.reply)) for answer in answers]
    return Outcome(
        accepted=accepted,
        rejected=(*(each.recipient for each in refused_here), *_which(decided, Verdict.REJECTED)),
        pending=_which(decided, Verdict.PENDING, Verdict.THROTTLED),
        errors=(*refused_here, *_refusals(decided)),
        response=str(last),
        throttled=_which(decided, Verdict.THROTTLED),
    )


def _which(decided: Iterable[tuple[Answer, Decision]], *verdicts: Verdict) -> tuple[str, ...]:
    return tuple(answer.recipient for answer, said in decided if said.verdict in verdicts)


def _refusals(decided: Iterable[tuple[Answer, Decision]]) -> list[Rejection]:
    return [
        Rejection(answer.recipient, answer.reply.code, str(answer.reply), said.hard_bounce)
        for answer, said in decided
        if said.verdict is not Verdict.ACCEPTED
    ]

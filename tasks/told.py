"""What a worker tells its recorder of mails: a listener, and what goes back to wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tasks.delivery.returns import Waiting
from tasks.errors import MailError, NoConnection, Transient, UnknownOutcome
from tasks.limits import reasons
from tasks.observing import recorder
from tasks.outcome import Outcome
from tasks.screening.screen import Prepared


def listen(prepared: Prepared, answer: Outcome | MailError) -> None:
    """Count what a server made of a mail."""
    said = _of_outcome(answer) if isinstance(answer, Outcome) else _of_error(answer)
    recorder().attempted(prepared.mail.transport, said)


def postponing(
    postpone: Callable[[Sequence[Waiting]], None],
) -> Callable[[Sequence[Waiting]], None]:
    """Count mails that go back to wait, by what they wait for."""

    def counted(waiting: Sequence[Waiting]) -> None:
        postpone(waiting)
        recorder().waits([reasons.kind(each.why) for each in waiting])

    return counted


def _of_outcome(outcome: Outcome) -> str:
    if outcome.accepted:
        return "partly" if outcome.rejected or outcome.pending else "accepted"
    return "deferred" if outcome.pending else "refused"


def _of_error(error: MailError) -> str:
    if isinstance(error, UnknownOutcome):
        return "unknown"
    if isinstance(error, NoConnection):
        return "no_connection"
    return "deferred" if isinstance(error, Transient) else "refused"

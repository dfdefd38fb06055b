"""What a screen gets and says; all of them in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from pymongo.errors import PyMongoError

from tasks.delivery import results
from tasks.delivery.claim import Claim
from tasks.delivery.results import Result
from tasks.delivery.returns import Waiting
from tasks.envelope import Mail
from tasks.errors import MailError
from tasks.limits.permits import Slot
from tasks.outcome import Outcome


_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail in our hands that only has to be sent."""

    claim: Claim
    mail: Mail
    #: By a rate limit; None: it may go out at once.
    slot: Slot | None = None
    #: Transports that could not be reached.
    tried: frozenset[str] = frozenset()


@dataclass(slots=True)
class Screened:
    """Every mail of a group is in exactly one list."""

    send: list[Prepared] = field(default_factory=list)
    ended: list[Result] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)


#: Sorts the mails of a group, in order; it may return a mail changed. May raise PyMongoError.
Screen = Callable[[Sequence[Prepared]], Screened]
#: Is told what the server made of a mail, or why it made nothing of it.
Listener = Callable[[Prepared, Outcome | MailError], None]


def screen_all(screens: Sequence[Screen], group: Sequence[Prepared]) -> Screened:
    """Let each screen sort what the one before it lets through. Raises PyMongoError."""
    whole = Screened(send=list(group))
    for screen in screens:
        if not whole.send:
            break
        said = _screen(screen, whole.send)
        whole.send = said.send
        whole.ended += said.ended
        whole.waiting += said.waiting
    return whole


def _screen(screen: Screen, group: Sequence[Prepared]) -> Screened:
    try:
        return screen(group)
    except PyMongoError:
        raise
    except Exception as error:  # noqa: BLE001 - one mail's trouble must not be the group's
        if len(group) == 1:
            [prepared] = group
            _log.exception("mail.not_screened", id=prepared.claim.id)
            return Screened(ended=[results.of_bug(prepared.claim, error, sending=False)])
        apart = [_screen(screen, [prepared]) for prepared in group]
        return Screened(
            send=[prepared for each in apart for prepared in each.send],
            ended=[result for each in apart for result in each.ended],
            waiting=[waiting for each in apart for waiting in each.waiting],
        )


def tell_all(
    listeners: Sequence[Listener], prepared: Prepared, answer: Outcome | MailError
) -> None:
    """Tell every listener; what one of them raises is logged: the mail's outcome stands."""
    for listener in listeners:
        try:
            listener(prepared, answer)
        except Exception:  # noqa: BLE001 - it may be MongoDB's, the broker's or a bug; the mail is done
            _log.exception("mail.not_told", id=prepared.claim.id)

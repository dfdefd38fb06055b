"""What a batch works with; one of each in a process, shared by its threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from config.mongo import Document
from tasks.delivery.claim import Claim, Claims
from tasks.delivery.results import Again, Result
from tasks.delivery.returns import Waiting
from tasks.envelope import Mail
from tasks.errors import MailError
from tasks.limits.permits import Slot
from tasks.outcome import Outcome
from tasks.pace import Pace
from tasks.routing import Routes
from tasks.screening.screen import Listener, Screen


@dataclass(frozen=True, slots=True)
class Parts:
    """The collaborators of `Batch` and `Sending`."""

    claims: Claims
    #: For the transport the document asks for, or for this one.
    compose: Callable[[Document, str | None], Mail]
    screens: Sequence[Screen]
    #: Those of `screens` that look at the transport, for mails that go another way.
    screens_of_transport: Sequence[Screen]
    routes: Routes
    listeners: Sequence[Listener]
    record: Callable[[Result], threading.Event]
    #: Gives back mails that wait for something.
    postpone: Callable[[Sequence[Waiting]], None]
    #: Takes ids that were not begun, and claims of which nothing was sent.
    put_back: Callable[[Sequence[Any], Sequence[Claim]], None]
    #: Tells when the next automatic attempt begins; None: there is none.
    again: Callable[[Claim, Mail | None, Outcome | MailError], Again | None]
    #: Is told of slots whose mails were sent.
    sent: Callable[[Sequence[Slot]], None]
    #: Takes slots of mails that were not sent.
    unused: Callable[[Sequence[Slot]], None]
    #: Tells whether mails of a higher priority wait.
    gives_way: Callable[[], bool]
    #: Tells whether other hands have nothing to do.
    others_idle: Callable[[], bool]
    pace: Pace
    stopping: threading.Event

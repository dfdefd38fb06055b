"""What a `Sink` is told to do, and what it took."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


#: None: the server's usual reply. "451 4.3.0 busy": this reply (several lines by CRLF).
#: "drop": close without a word. "reset": the same by RST. "hang": read on, never answer.
#: "stall": neither read nor answer.
#: A function: one of these, at each call.
Answer = str | Callable[[], str | None] | None

FAULTS = ("drop", "reset", "hang", "stall")


def first(times: int, answer: str, then: str | None = None) -> Callable[[], str | None]:
    """Make an Answer that differs for the first times it is asked."""
    calls = itertools.count()
    return lambda: answer if next(calls) < times else then


class InTurn:
    """An Answer that is each of some answers in turn; counts how often it was each."""

    def __init__(self, *answers: str | None) -> None:
        self._turns = itertools.cycle(answers)
        self._lock = threading.Lock()
        self.given: Counter[str | None] = Counter()

    def __call__(self) -> str | None:
        with self._lock:
            answer = next(self._turns)
            self.given[answer] += 1
            return answer


@dataclass(frozen=True)
class Script:
    """What the server does at each stage; see Answer."""

    #: The greeting; "refuse": nobody listens on the port.
    connect: Answer = None
    ehlo: Answer = None
    helo: Answer = None
    starttls: Answer = None
    auth: Answer = None
    mail: Answer = None
    #: One Answer for all, or by recipient.
    rcpt: Answer | Mapping[str, Answer] = None
    data: Answer = None
    #: A fault once DATA is answered by 354, before the content is read.
    content: Answer = None
    #: Once the final dot is read: a mail is taken unless this is a 4xx or 5xx reply.
    after_data: Answer = None
    #: Commands that came together with the content are thrown away, as by an old filter.
    deaf: bool = False
    rset: Answer = None
    #: Lines that are no command it knows.
    unknown: Answer = None
    #: Seconds before replies are written, once for all replies of a round trip.
    delay: float = 0
    #: Seconds before each byte of the replies.
    trickle: float = 0
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SMTPUTF8")

    def at(self, stage: str, answer: Answer) -> Script:
        """Make the same script but for one stage, given by name."""
        change: dict[str, Any] = {stage: answer}
        return replace(self, **change)


def resolve(answer: Answer) -> str | None:
    """The reply, fault or None that an Answer is now."""
    return answer() if callable(answer) else answer


@dataclass(frozen=True)
class Message:
    """A mail that the server took; `answered` is False when it kept its 250 for itself."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    answered: bool = True
    #: time.time() when the final dot had come.
    at: float = field(default_factory=time.time, compare=False)

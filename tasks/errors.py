"""Why a mail did not go out.

MailError
├── Permanent         trying again cannot help: the document must change, or the server said 5xx
│   └── InvalidDocument   every problem of the document, each with its path
├── Transient         nothing was sent; a later attempt may work
│   └── NoConnection      the server cannot be reached, or lets us not in: no mail was begun
└── UnknownOutcome    the server may or may not have taken the mail: never retried by itself

A wrong setting is not a MailError: it stops the process at start. Any other exception is a bug
of ours and must not look like a busy server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class MailError(Exception):
    """Base of all; its text goes into `delivery.error` for a person to read.

    `code` is the SMTP reply code and `response` the server's words, where there are any.
    """

    def __init__(self, text: str, *, code: int | None = None, response: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.response = response


class Permanent(MailError):
    """Trying again cannot help."""


class ProblemCode(StrEnum):
    """What kind of problem it is, for programs; docs/delivery.md explains each."""

    WRONG_TYPE = "WRONG_TYPE"
    INVALID_VALUE = "INVALID_VALUE"
    MISSING = "MISSING"
    TOO_LARGE = "TOO_LARGE"
    INVALID_ADDRESS = "INVALID_ADDRESS"
    NO_RECIPIENT = "NO_RECIPIENT"
    NEEDS_SETTING = "NEEDS_SETTING"
    UNOBTAINABLE = "UNOBTAINABLE"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a document; `text` follows the path: "must be a string"."""

    path: str
    text: str
    code: ProblemCode = ProblemCode.INVALID_VALUE

    def __str__(self) -> str:
        return f"{self.path} {self.text}"


class InvalidDocument(Permanent):
    """The document asks for something that cannot be.

    `problems`: one line each, with its path; `details`: the same, taken apart. `unlisted`: how many
    more there are.
    """

    def __init__(self, details: Sequence[Problem], unlisted: int = 0) -> None:
        rest = [f"and {unlisted} more"] if unlisted else []
        self.details = tuple(details)
        self.unlisted = unlisted
        self.problems = [*map(str, details), *rest]
        super().__init__("; ".join(self.problems))


class Transient(MailError):
    """Nothing was sent; a later attempt may work.

    `throttled`: the server asked for fewer mails to these recipients. `retry_after`: seconds for
    which it wants no more at all.
    """

    def __init__(
        self,
        text: str,
        *,
        code: int | None = None,
        response: str | None = None,
        throttled: bool = False,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(text, code=code, response=response)
        self.throttled = throttled
        self.retry_after = retry_after


class NoConnection(Transient):
    """The server cannot be reached, or lets us not in: no mail was begun."""


class UnknownOutcome(MailError):
    """The connection broke after the last byte of the mail, before the server's answer.

    RFC 1047 and RFC 5321 4.5.3.2.6: whether the server took the mail cannot be known.
    """

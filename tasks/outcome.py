"""What became of a mail, recipient by recipient."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.envelope import Rejection


@dataclass(frozen=True, slots=True)
class Outcome:
    """The server's answer to one mail; every recipient of the envelope is in exactly one list.

    `accepted`: the server took the mail for them. `rejected`: refused for good (5xx, or invalid).
    `pending`: refused for now (4xx). `errors` says why, for each rejected and pending recipient.
    `response` is the server's last reply, "250 2.0.0 Ok: queued as 4D1F2". `throttled`: those of
    `pending` for whom the server asked for fewer mails.
    """

    accepted: tuple[str, ...]
    rejected: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    errors: tuple[Rejection, ...] = ()
    response: str | None = None
    throttled: tuple[str, ...] = ()

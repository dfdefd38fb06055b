"""Whom the mail is from, and who gets the answers."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.errors import ProblemCode
from tasks.mail import address_list
from tasks.mail.addresses import Mailbox
from tasks.mail.custom_headers import CustomHeaders
from tasks.mail.defaults import Defaults
from tasks.mail.problems import Problems, quote
from tasks.mail.schema import Document


#: When `from` is invalid, for the rest of the checks; such a mail is never sent.
_NOBODY = Mailbox("invalid@localhost")


@dataclass(frozen=True, slots=True)
class Originators:
    """`sender` holds one mailbox or more; the first is the envelope's."""

    sender: list[Mailbox]
    reply_to: list[Mailbox]

    @property
    def domain(self) -> str:
        return self.sender[0].domain


def read(
    document: Document, custom: CustomHeaders, defaults: Defaults, problems: Problems
) -> Originators:
    """Read from and replyTo; a blank one counts as absent."""
    where, text = "from", document.sender
    if _blank(text):
        where, text = "DEFAULT_FROM", defaults.sender
    sender = _mailboxes(where, text or "", problems)
    return Originators(sender or [_NOBODY], _reply_to(document, custom, defaults, problems))


def _reply_to(
    document: Document, custom: CustomHeaders, defaults: Defaults, problems: Problems
) -> list[Mailbox]:
    where, text = "replyTo", document.reply_to
    if not _blank(custom.reply_to):
        if not _blank(text):
            problems.add("headers.Reply-To", "stands beside replyTo: give one of them")
        where, text = "headers.Reply-To", custom.reply_to
    if _blank(text):
        where, text = "DEFAULT_REPLY_TO", defaults.reply_to
    return [] if text is None or _blank(text) else _mailboxes(where, text, problems)


def _blank(text: str | None) -> bool:
    return text is None or not text.strip()


def _mailboxes(where: str, text: str, problems: Problems) -> list[Mailbox]:
    try:
        found = address_list.parse([text])
    except ValueError as error:
        problems.add(where, str(error), ProblemCode.INVALID_ADDRESS)
        return []
    for shown, reason in found.invalid:
        what = f"holds {quote(shown)}, which is no valid address: {reason}"
        problems.add(where, what, ProblemCode.INVALID_ADDRESS)
    if not found.mailboxes and not found.invalid:
        problems.add(where, "holds no address", ProblemCode.INVALID_ADDRESS)
    return found.mailboxes

"""The mail's header, but for the lines that belong to its body."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

from tasks.mail import headers
from tasks.mail.address_list import Group
from tasks.mail.addresses import Mailbox
from tasks.mail.reading import Reading


_NO_RECIPIENTS = Group("undisclosed-recipients")


def head(mail: Reading, now: datetime, *, seven_bit: bool) -> bytes:
    """Write the header lines, each with its CRLF; bcc is in none of them.

    Only addresses may be non-ASCII, and with `seven_bit` not even those.
    """

    def line(name: str, entries: Sequence[Mailbox | Group]) -> str:
        return headers.addresses(name, _downgraded(entries) if seven_bit else entries)

    by, to, custom = mail.originators, mail.recipients, mail.custom_headers
    lines = [line("From", by.sender)]
    if custom.sender:
        lines.append(line("Sender", [custom.sender]))
    elif len(by.sender) > 1:
        lines.append(line("Sender", by.sender[:1]))  # RFC 5322 3.6.2 requires it
    if to.to.entries or not to.cc.entries:
        # A mail without any recipient in its header is taken for spam by many filters.
        lines.append(line("To", to.to.entries or [_NO_RECIPIENTS]))
    if to.cc.entries:
        lines.append(line("Cc", to.cc.entries))
    if by.reply_to:
        lines.append(line("Reply-To", by.reply_to))
    lines += [
        headers.unstructured("Subject", mail.subject),
        f"Date: {custom.date or format_datetime(now)}",
        f"Message-ID: {mail.message_id}",  # never folded: some servers compare the line
        *custom.lines,
        *mail.list_headers,
        "MIME-Version: 1.0",
        "",
    ]
    return "\r\n".join(lines).encode()


def _downgraded(entries: Sequence[Mailbox | Group]) -> list[Mailbox | Group]:
    """Write mailboxes that need SMTPUTF8 as empty groups: RFC 6857 section 3.1.6."""
    found: list[Mailbox | Group] = []
    for entry in entries:
        if isinstance(entry, Mailbox):
            found.append(entry if entry.address.isascii() else _as_group(entry))
        else:
            # A group in a group is not allowed: its members stand for themselves.
            plain = all(member.address.isascii() for member in entry.members)
            found += [entry] if plain else _downgraded(entry.members)
    return found


def _as_group(mailbox: Mailbox) -> Group:
    return Group(f"{mailbox.name} {mailbox.address}".strip())

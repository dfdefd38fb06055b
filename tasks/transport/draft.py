"""A mail as the commands and bytes one server gets: pure functions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.envelope import Mail, Rejection
from tasks.errors import Permanent
from tasks.transport import dsn
from tasks.transport.offers import Offers


#: A path as it may stand between < and >. Control characters end the command and begin another
#: (command injection); a bare space or > would let parameters in.
_PATH = re.compile(
    r'(?:"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"@)?[^"<>\\\x00-\x20\x7f]*', re.ASCII
)
#: A CR or LF that is not part of CRLF. Some servers take "\n.\n" for the end of the mail, and what
#: follows for commands ("SMTP smuggling", CVE-2023-51764).
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Draft:
    """What is said for one mail, in order; the commands have their CRLF."""

    mail: bytes
    rcpt: list[bytes]
    #: The recipients of `rcpt`.
    recipients: tuple[str, ...]
    #: The content, dot-stuffed, with the final dot.
    content: bytes
    #: Recipients this server is not asked about.
    rejected: tuple[Rejection, ...]


def prepare(mail: Mail, offers: Offers, server: object) -> Draft:
    """Write a mail for a server of these offers; `server` is its name in errors.

    Raises Permanent when no server of these offers can take it.
    """
    _check_paths(mail)
    if mail.smtputf8 and not offers.smtputf8:
        recipients, refused = _without_utf8(mail, server)
    else:
        recipients, refused = mail.recipients, ()
    asked = mail.dsn if offers.dsn else None
    content = _content(mail, offers, server)
    if offers.max_size is not None and len(content) > offers.max_size:
        raise Permanent(
            f"message of {len(content)} bytes is larger than the {offers.max_size} bytes"
            f" {server} accepts"
        )
    return Draft(
        mail=_mail_command(mail, offers, content),
        rcpt=[f"RCPT TO:<{each}>{dsn.of_rcpt(asked, each)}\r\n".encode() for each in recipients],
        recipients=recipients,
        content=stuffed(content),
        rejected=(*mail.rejected, *refused),
    )


def stuffed(content: bytes) -> bytes:
    """Make what follows 354: lines end in CRLF, leading dots are doubled (RFC 5321 4.5.2)."""
    ends = content.count(b"\r\n")
    if content.count(b"\n") != ends or content.count(b"\r") != ends:
        content = _BARE.sub(b"\r\n", content)
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    if content.startswith(b"."):
        content = b"." + content
    return content.replace(b"\n.", b"\n..") + b".\r\n"


def _check_paths(mail: Mail) -> None:
    for path in (mail.sender, *mail.recipients):
        if not _PATH.fullmatch(path):
            raise Permanent(f"{path!r} is no address that could be given to a server")
        if not mail.smtputf8 and not path.isascii():
            raise Permanent(f"{path!r} is not ASCII, but the mail was not composed for SMTPUTF8")


def _mail_command(mail: Mail, offers: Offers, content: bytes) -> bytes:
    parts = [f"MAIL FROM:<{mail.sender}>"]
    if offers.size:
        parts.append(f"SIZE={len(content)}")
    if offers.eight_bit and mail.has_8bit:
        parts.append("BODY=8BITMIME")
    if offers.smtputf8 and mail.smtputf8:
        parts.append("SMTPUTF8")
    if offers.dsn:
        parts += dsn.of_mail(mail.dsn)
    return " ".join(parts).encode() + b"\r\n"


def _content(mail: Mail, offers: Offers, server: object) -> bytes:
    as_it_is = offers.eight_bit and (offers.smtputf8 or not mail.smtputf8)
    if as_it_is or not mail.has_8bit:
        return mail.content
    if mail.seven_bit is None:
        lacking = "SMTPUTF8" if mail.smtputf8 else "8BITMIME"
        raise Permanent(f"{server} does not offer {lacking}, which this message needs")
    return mail.seven_bit()


def _without_utf8(mail: Mail, server: object) -> tuple[tuple[str, ...], tuple[Rejection, ...]]:
    """Leave out the recipients that cannot be named to this server."""
    lacking = f"{server} does not offer SMTPUTF8, which this address needs"
    if not mail.sender.isascii():
        raise Permanent(f"{mail.sender}: {lacking}")
    plain = tuple(each for each in mail.recipients if each.isascii())
    refused = tuple(
        Rejection(each, None, lacking) for each in mail.recipients if not each.isascii()
    )
    return plain, refused

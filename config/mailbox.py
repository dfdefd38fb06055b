"""DEFAULT_FROM and DEFAULT_REPLY_TO: one mailbox, `a@b` or `Name <a@b>` (RFC 5322, 3.4)."""

from __future__ import annotations

import re

import idna
from email_validator import EmailNotValidError, validate_email


_ANGLE = re.compile(r'(?P<name>"(?:[^"\\]|\\.)*"|[^"<>]*?)\s*<(?P<address>[^<>]*)>')


def check(text: str) -> None:
    """Raise ValueError when this is not one mailbox; local domains (`dev@localhost`) are fine."""
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    match = _ANGLE.fullmatch(text.strip())
    name, address = (match["name"], match["address"]) if match else ("", text.strip())
    if not name.startswith('"') and set(name) & set(",;:@"):
        raise ValueError('must be one mailbox; a name with , ; : or @ goes in quotes: "A, B" <a@b>')
    _check_address(address)


def _check_address(address: str) -> None:
    local, at, domain = address.rpartition("@")
    if not at:
        raise ValueError("is not a mail address: it has no @")
    try:
        # The library refuses domains that are not public: localhost, *.local, *.internal.
        validate_email(f"{local}@example.com", check_deliverability=False, allow_quoted_local=True)
        idna.encode(domain, uts46=True)
    except EmailNotValidError as error:
        raise ValueError(f"is not a mail address: {error}") from None
    except idna.IDNAError:
        raise ValueError("has a domain that cannot be one") from None

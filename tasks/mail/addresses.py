"""One address: its syntax, and its form on the wire.

Syntax only, no DNS: mail to localhost, to `.local` and `.test` or to a bare host name is everyday
business inside a company and on a developer's machine.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import email_validator
import idna


#: RFC 5321 4.5.3.1.3: a path of 256 octets, less the two angle brackets.
MAX_LENGTH = 254
_MAX_DOMAIN_LENGTH = 253

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_PLAIN = re.compile(rf"{_LOCAL_PART.pattern}@{_HOST.pattern}")

_IPV6 = "IPv6:"
#: In place of what is no UTF-8: see config.mongo.CODEC.
_REPLACED = "\N{REPLACEMENT CHARACTER}"


class InvalidAddress(ValueError):
    """The text is no address; says why."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address ready for the wire, and the name shown before it ("" for none)."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def parse(text: str) -> str:
    """Give the address as SMTP wants it: the domain in ASCII (IDNA 2008, UTS 46).

    The local part may be of any script (RFC 6531), or quoted; it is kept as it is. The domain may
    be an address literal such as `[127.0.0.1]`. Raises InvalidAddress.
    """
    if _PLAIN.fullmatch(text) and len(text) <= MAX_LENGTH:
        return text
    if len(text) > MAX_LENGTH:
        raise InvalidAddress(f"it is longer than {MAX_LENGTH} characters")
    local_part, at, domain = text.rpartition("@")
    if not at:
        raise InvalidAddress("it has no @")
    address = f"{_local_part(local_part)}@{_domain(domain)}"
    if len(address.encode()) > MAX_LENGTH:
        raise InvalidAddress(f"it is longer than {MAX_LENGTH} octets")
    return address


def key(address: str) -> str:
    """Give what two spellings of the same address have in common.

    Domains know no case. Local parts may (RFC 5321 2.4), so two spellings count as two mailboxes:
    one mail too many is better than one that never comes.
    """
    local_part, _, domain = address.rpartition("@")
    return f"{local_part}@{domain.lower()}"


def _local_part(text: str) -> str:
    if _LOCAL_PART.fullmatch(text):
        return text
    if not text:
        raise InvalidAddress("it has nothing before the @")
    if _REPLACED in text:
        # The mail would go to a mailbox of that name.
        raise InvalidAddress("it holds what could not be read (broken UTF-8)")
    try:
        validated = email_validator.validate_email(
            f"{text}@example.com",
            allow_quoted_local=True,
            check_deliverability=False,
        )
    except email_validator.EmailNotValidError as error:
        raise InvalidAddress(str(error).removesuffix(".")) from error
    return validated.local_part


def _domain(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        return _literal(text[1:-1])
    host = text if text.isascii() else _to_ascii(text)
    if not host:
        raise InvalidAddress("it has nothing after the @")
    if len(host) > _MAX_DOMAIN_LENGTH or not _HOST.fullmatch(host):
        raise InvalidAddress("what stands after the @ is no domain name")
    return host


def _to_ascii(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except UnicodeError as error:  # idna.IDNAError is one
        raise InvalidAddress("what stands after the @ is no valid domain name (IDNA)") from error


def _literal(text: str) -> str:
    try:
        if text[: len(_IPV6)].lower() == _IPV6.lower():
            address = ipaddress.IPv6Address(text[len(_IPV6) :])
            if address.scope_id is None:
                return f"[{_IPV6}{address}]"
        else:
            return f"[{ipaddress.IPv4Address(text)}]"
    except ValueError as error:
        raise InvalidAddress("what stands in [ ] is no IP address") from error
    raise InvalidAddress("what stands in [ ] has a scope id")

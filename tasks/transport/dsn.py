"""The parameters of MAIL and RCPT that ask for delivery status notifications (RFC 3461)."""

from __future__ import annotations

import re

from tasks.envelope import Dsn


#: RFC 3461 section 4.2.
_MAX_ORCPT = 500
#: All that does not stand for itself in xtext (section 4), and in its form for UTF-8 (RFC 6533
#: section 3).
_ENCODED = re.compile(r"[^!-*,-<>-~]")
_ENCODED_UTF8 = re.compile(r"[^!-*,-<>-\[\]-~]")


def of_mail(dsn: Dsn | None) -> list[str]:
    """Give RET and ENVID, where they are wanted."""
    if dsn is None:
        return []
    ret = [f"RET={dsn.ret}"] if dsn.ret else []
    return [*ret, f"ENVID={_xtext(dsn.envid)}"] if dsn.envid else ret


def of_rcpt(dsn: Dsn | None, recipient: str) -> str:
    """Give NOTIFY and ORCPT, each with a space before it."""
    if dsn is None:
        return ""
    notify = f" NOTIFY={','.join(dsn.notify)}" if dsn.notify else ""
    orcpt = f" ORCPT={_original(recipient)}"
    return notify + orcpt if len(orcpt) <= _MAX_ORCPT else notify


def _original(recipient: str) -> str:
    if recipient.isascii():
        return f"rfc822;{_xtext(recipient)}"
    # In ASCII, which every server with DSN understands or passes on.
    return "utf-8;" + _ENCODED_UTF8.sub(lambda match: rf"\x{{{ord(match[0]):X}}}", recipient)


def _xtext(text: str) -> str:
    return _ENCODED.sub(lambda match: f"+{ord(match[0]):02X}", text)

"""What a server offers in its answer to EHLO (RFC 5321 section 4.1.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.transport.replies import Reply


@dataclass(frozen=True, slots=True)
class Offers:
    """The service extensions this client knows."""

    pipelining: bool = False  #: RFC 2920
    eight_bit: bool = False  #: 8BITMIME, RFC 6152
    smtputf8: bool = False  #: RFC 6531
    starttls: bool = False  #: RFC 3207
    dsn: bool = False  #: RFC 3461
    size: bool = False  #: RFC 1870
    #: Bytes of the largest mail taken; None: not said.
    max_size: int | None = None
    #: Mechanisms of AUTH, in capitals.
    auth: tuple[str, ...] = ()


def parse(reply: Reply) -> Offers:
    """Read the answer to EHLO; unknown or malformed extensions are passed over."""
    keywords: dict[str, list[str]] = {}
    for line in reply.lines[1:]:
        # Old servers write AUTH=LOGIN, some beside AUTH LOGIN.
        words = line.decode("ascii", "replace").upper().replace("AUTH=", "AUTH ").split()
        if words:
            keywords.setdefault(words[0], []).extend(words[1:])
    return Offers(
        pipelining="PIPELINING" in keywords,
        eight_bit="8BITMIME" in keywords,
        # RFC 6531 3.1 item 8: a server with SMTPUTF8 has 8BITMIME. One without takes no UTF-8.
        smtputf8="SMTPUTF8" in keywords and "8BITMIME" in keywords,
        starttls="STARTTLS" in keywords,
        dsn="DSN" in keywords,
        size="SIZE" in keywords,
        max_size=_limit(keywords.get("SIZE", [])),
        auth=tuple(dict.fromkeys(keywords.get("AUTH", []))),
    )


def _limit(words: list[str]) -> int | None:
    """RFC 1870 section 3: 0, or no number, is no limit."""
    return int(words[0]) or None if words and words[0].isdecimal() else None

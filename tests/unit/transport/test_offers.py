"""The answer to EHLO."""

from __future__ import annotations

import pytest

from tasks.transport.offers import Offers, parse
from tasks.transport.replies import Reply


def _parse(*lines: str) -> Offers:
    return parse(Reply(250, tuple(line.encode() for line in ("smtp.example.com", *lines))))


def test_everything() -> None:
    """Every extension this client knows is found, among those it does not."""
    assert _parse(
        "PIPELINING",
        "SIZE 10240000",
        "VRFY",
        "ETRN",
        "STARTTLS",
        "AUTH PLAIN LOGIN CRAM-MD5",
        "ENHANCEDSTATUSCODES",
        "8BITMIME",
        "SMTPUTF8",
        "DSN",
        "CHUNKING",
    ) == Offers(
        pipelining=True,
        eight_bit=True,
        smtputf8=True,
        starttls=True,
        dsn=True,
        size=True,
        max_size=10240000,
        auth=("PLAIN", "LOGIN", "CRAM-MD5"),
    )


def test_nothing() -> None:
    """A server may offer nothing, and its own name is no extension."""
    assert _parse() == Offers()
    assert parse(Reply(250, (b"PIPELINING",))) == Offers()


def test_capitals() -> None:
    """Extensions are found in any case: RFC 5321 2.4."""
    assert _parse("pipelining", "auth plain") == Offers(pipelining=True, auth=("PLAIN",))


@pytest.mark.parametrize("line", ["SIZE", "SIZE 0", "SIZE many", "SIZE -1", "SIZE \u00b2"])
def test_no_limit(line: str) -> None:
    """SIZE without a number, or with 0, sets no limit (RFC 1870 section 3)."""
    assert _parse(line) == Offers(size=True)


def test_old_auth() -> None:
    """AUTH=LOGIN of old servers counts, and no mechanism is named twice."""
    assert _parse("AUTH LOGIN PLAIN", "AUTH=LOGIN") == Offers(auth=("LOGIN", "PLAIN"))


def test_smtputf8_alone() -> None:
    """SMTPUTF8 without 8BITMIME, which it requires, is not used."""
    assert _parse("SMTPUTF8") == Offers()

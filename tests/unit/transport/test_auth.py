"""The mechanisms of AUTH."""

from __future__ import annotations

import pytest

from tasks.transport import auth


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["CRAM-MD5", "LOGIN", "PLAIN"], "PLAIN"),
        (["CRAM-MD5", "LOGIN"], "LOGIN"),
        (["XOAUTH2", "CRAM-MD5"], "CRAM-MD5"),
        (["XOAUTH2", "GSSAPI"], None),
        ([], None),
    ],
)
def test_choice(offered: list[str], chosen: str | None) -> None:
    """Of the mechanisms both sides know the simplest is taken."""
    assert auth.choose(offered) == chosen


def test_plain() -> None:
    """PLAIN says everything at once, in UTF-8 (RFC 4616)."""
    assert list(auth.plain("tim", "tänstaaf")) == ["\0tim\0tänstaaf".encode()]


def test_login() -> None:
    """LOGIN waits, then says the name, then the password."""
    conversation = auth.login("tim", "secret")

    said = [next(conversation), conversation.send(b"Username:"), conversation.send(b"Password:")]

    assert said == [None, b"tim", b"secret"]


def test_cram_md5() -> None:
    """CRAM-MD5 gives the answer of the example in RFC 2195."""
    conversation = auth.cram_md5("tim", "tanstaaftanstaaf")

    said = [next(conversation), conversation.send(b"<1896.697170952@postoffice.reston.mci.net>")]

    assert said == [None, b"tim b913a602c7eda7a495b4e6e7334d3890"]

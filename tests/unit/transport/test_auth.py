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
    assert auth.choose(offered, auth.PASSWORD_MECHANISMS) == chosen


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


def test_xoauth2() -> None:
    """XOAUTH2 says user and token at once, as Google documents it, and nothing to a refusal."""
    conversation = auth.xoauth2(
        "someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
    )

    said = [next(conversation), conversation.send(b'{"status":"401","schemes":"bearer"}')]

    assert said == [
        b"user=someuser@example.com\1auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\1\1",
        b"",
    ]


def test_oauthbearer() -> None:
    """OAUTHBEARER gives the initial response of RFC 7628 4.1, and Control-A to a refusal."""
    token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
    conversation = auth.oauthbearer("user@example.com", token, host="server.example.com", port=143)

    said = [next(conversation), conversation.send(b'{"status":"invalid_token"}')]

    first = f"n,a=user@example.com,\1host=server.example.com\1port=143\1auth=Bearer {token}\1\1"
    assert said == [first.encode(), b"\1"]


def test_oauthbearer_escapes_the_user() -> None:
    """A comma or an equals sign in the name cannot end it (RFC 5801 section 4)."""
    [said] = [next(auth.oauthbearer("a=b,c", "t", host="h", port=25))]

    assert said == b"n,a=a=3Db=2Cc,\1host=h\1port=25\1auth=Bearer t\1\1"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["LOGIN", "XOAUTH2"], "XOAUTH2"),
        (["OAUTHBEARER", "XOAUTH2"], "XOAUTH2"),
        (["PLAIN", "OAUTHBEARER"], "OAUTHBEARER"),
        (["PLAIN", "LOGIN"], None),
    ],
)
def test_choice_with_a_token(offered: list[str], chosen: str | None) -> None:
    """A token goes by a mechanism for tokens, never as a password."""
    assert auth.choose(offered, auth.TOKEN_MECHANISMS) == chosen

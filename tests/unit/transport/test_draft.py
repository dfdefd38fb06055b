"""A mail as commands and bytes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.envelope import Dsn, Mail, Rejection
from tasks.errors import Permanent
from tasks.transport.draft import Draft, prepare, stuffed
from tasks.transport.offers import Offers


_MAIL = Mail("a@example.com", ("b@example.com", "c@example.com"), b"Subject: x\r\n\r\nx\r\n", "<1>")
_UTF8_MAIL = replace(
    _MAIL,
    recipients=("b@example.com", "ü@example.com"),
    content="To: ü@example.com\r\n\r\nx\r\n".encode(),
    has_8bit=True,
    smtputf8=True,
    seven_bit=lambda: b"To: in ASCII:;\r\n\r\nx\r\n",
)
_ALL = Offers(eight_bit=True, smtputf8=True)


def _prepare(mail: Mail, offers: Offers = _ALL) -> Draft:
    return prepare(mail, offers, "smtp.example.com:25")


def test_commands() -> None:
    """One MAIL, one RCPT for each recipient, content with its final dot."""
    assert _prepare(_MAIL) == Draft(
        mail=b"MAIL FROM:<a@example.com>\r\n",
        rcpt=[b"RCPT TO:<b@example.com>\r\n", b"RCPT TO:<c@example.com>\r\n"],
        recipients=("b@example.com", "c@example.com"),
        content=b"Subject: x\r\n\r\nx\r\n.\r\n",
        rejected=(),
    )


def test_null_sender() -> None:
    """A bounce has the null reverse-path (RFC 5321 4.5.5)."""
    assert _prepare(replace(_MAIL, sender="")).mail == b"MAIL FROM:<>\r\n"


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"x\r\n", b"x\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"x\r\n.\r\ny\r\n", b"x\r\n..\r\ny\r\n.\r\n"),
        (b"x\r\n..y\r\n", b"x\r\n...y\r\n.\r\n"),
        (b"x.\r\ny.z\r\n", b"x.\r\ny.z\r\n.\r\n"),
        (b"x", b"x\r\n.\r\n"),
        (b"", b"\r\n.\r\n"),
        (b"x\n.\ny\r\n", b"x\r\n..\r\ny\r\n.\r\n"),  # SMTP smuggling by bare LF
        (b"x\r.\ry\r\n", b"x\r\n..\r\ny\r\n.\r\n"),
        (b"x\n.\r\nMAIL FROM:<>\r\n", b"x\r\n..\r\nMAIL FROM:<>\r\n.\r\n"),
    ],
)
def test_stuffing(content: bytes, wire: bytes) -> None:
    """Leading dots are doubled, every line ends in CRLF, a lone dot ends it all."""
    assert stuffed(content) == wire


@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"x"])).map(b"".join))
def test_nothing_gets_out(content: bytes) -> None:
    """Whatever the content: one final dot, no bare CR or LF, and the same lines arrive."""
    wire = stuffed(content)

    body = wire.removesuffix(b".\r\n")
    assert re.search(rb"(?:^|[\r\n])\.(?:[\r\n]|$)", body) is None
    assert re.search(rb"\r(?!\n)|(?<!\r)\n", wire) is None
    arrived = b"".join(line.removeprefix(b".") for line in body.splitlines(keepends=True))
    assert arrived.splitlines() == (content or b"\n").splitlines()


@pytest.mark.parametrize(
    "address",
    [
        "b@example.com\r\nRSET",
        "b@example.com\n",
        "b\0@example.com",
        "b\t@example.com",
        "b\x7f@example.com",
        "b@example.com> SIZE=1",
        "b c@example.com",
        "<b@example.com",
        '"b\r\nc"@example.com',
        '"b"@example.com> SIZE=1',
        '"b\\"@example.com> SIZE=1',
    ],
)
@pytest.mark.parametrize("field", ["sender", "recipient"])
def test_injection(address: str, field: str) -> None:
    """No address can end its command or add to it."""
    if field == "sender":
        mail = replace(_MAIL, sender=address)
    else:
        mail = replace(_MAIL, recipients=("x@example.com", address))

    with pytest.raises(Permanent, match="no address"):
        _prepare(mail)


@pytest.mark.parametrize("address", ['"b c"@example.com', '"b\\"c> d"@example.com', "b+c@[::1]"])
def test_odd_addresses(address: str) -> None:
    """Quoted local parts and address literals are addresses."""
    assert _prepare(replace(_MAIL, recipients=(address,))).rcpt == [
        f"RCPT TO:<{address}>\r\n".encode()
    ]


def test_size() -> None:
    """The size is declared where the server wants to know it."""
    draft = _prepare(_MAIL, Offers(size=True, max_size=len(_MAIL.content)))

    assert draft.mail == b"MAIL FROM:<a@example.com> SIZE=17\r\n"


def test_too_large() -> None:
    """A mail above the server's limit is refused before it is sent, and both sizes are named."""
    with pytest.raises(Permanent) as caught:
        _prepare(_MAIL, Offers(size=True, max_size=16))

    assert str(caught.value) == (
        "message of 17 bytes is larger than the 16 bytes smtp.example.com:25 accepts"
    )


def test_eight_bit() -> None:
    """8-bit content goes as it is to a server with 8BITMIME, and is declared."""
    mail = replace(_MAIL, content="ü\r\n".encode(), has_8bit=True, seven_bit=lambda: b"=C3=BC\r\n")

    draft = _prepare(mail)

    assert draft.mail == b"MAIL FROM:<a@example.com> BODY=8BITMIME\r\n"
    assert draft.content == "ü\r\n.\r\n".encode()


def test_seven_bit() -> None:
    """A server without 8BITMIME gets the same mail in 7 bits."""
    mail = replace(_MAIL, content="ü\r\n".encode(), has_8bit=True, seven_bit=lambda: b"=C3=BC\r\n")

    draft = _prepare(mail, Offers())

    assert draft.mail == b"MAIL FROM:<a@example.com>\r\n"
    assert draft.content == b"=C3=BC\r\n.\r\n"


def test_no_seven_bit_form() -> None:
    """8-bit content without a 7-bit form is not sent to a server that cannot take it."""
    with pytest.raises(Permanent, match="does not offer 8BITMIME"):
        _prepare(replace(_MAIL, content="ü\r\n".encode(), has_8bit=True), Offers())


def test_smtputf8() -> None:
    """A mail that needs SMTPUTF8 asks for it."""
    draft = _prepare(_UTF8_MAIL)

    assert draft.mail == b"MAIL FROM:<a@example.com> BODY=8BITMIME SMTPUTF8\r\n"
    assert draft.rcpt[1] == "RCPT TO:<ü@example.com>\r\n".encode()


def test_without_smtputf8() -> None:
    """Where SMTPUTF8 is missing, the address that needs it is refused alone; headers are ASCII."""
    draft = _prepare(_UTF8_MAIL, Offers(eight_bit=True))

    assert draft.recipients == ("b@example.com",)
    assert draft.rejected == (
        Rejection(
            "ü@example.com",
            None,
            "smtp.example.com:25 does not offer SMTPUTF8, which this address needs",
        ),
    )
    assert draft.content == b"To: in ASCII:;\r\n\r\nx\r\n.\r\n"
    assert b"SMTPUTF8" not in draft.mail


def test_sender_needs_smtputf8() -> None:
    """A sender that cannot be named to the server stops the mail."""
    with pytest.raises(Permanent, match=r"ü@example\.com: .* does not offer SMTPUTF8"):
        _prepare(replace(_UTF8_MAIL, sender="ü@example.com"), Offers(eight_bit=True))


def test_headers_need_smtputf8() -> None:
    """UTF-8 headers without a form in ASCII stop the mail where SMTPUTF8 is missing."""
    with pytest.raises(Permanent, match="does not offer SMTPUTF8, which this message needs"):
        _prepare(replace(_UTF8_MAIL, seven_bit=None), Offers(eight_bit=True))


_DSN = Dsn(("FAILURE", "DELAY"), "HDRS", "order 4711+1=2")


def test_dsn() -> None:
    """A server with DSN is asked for notifications, in the encoding of RFC 3461."""
    mail = replace(_MAIL, recipients=("b+c@example.com", '"d e"@example.com'), dsn=_DSN)

    draft = _prepare(mail, Offers(dsn=True))

    assert draft.mail == (b"MAIL FROM:<a@example.com> RET=HDRS ENVID=order+204711+2B1+3D2\r\n")
    assert draft.rcpt == [
        b"RCPT TO:<b+c@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b+2Bc@example.com\r\n",
        b'RCPT TO:<"d e"@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;"d+20e"@example.com\r\n',
    ]


def test_server_without_dsn() -> None:
    """Without DSN the mail goes out as if nobody had asked."""
    assert _prepare(replace(_MAIL, dsn=_DSN)) == _prepare(_MAIL)


def test_dsn_in_part() -> None:
    """Only what is wanted is said; what was never asked for says nothing."""
    offers = Offers(dsn=True)

    assert _prepare(replace(_MAIL, dsn=Dsn(ret="FULL")), offers).mail.endswith(b"> RET=FULL\r\n")
    assert _prepare(replace(_MAIL, dsn=Dsn(("NEVER",))), offers).mail.endswith(b"com>\r\n")
    assert _prepare(_MAIL, offers) == _prepare(_MAIL)


def test_dsn_for_an_address_beyond_ascii() -> None:
    """The original recipient is written in ASCII (RFC 6533)."""
    mail = replace(_UTF8_MAIL, recipients=('"ü\\\\+="@example.com',), dsn=_DSN)

    (line,) = _prepare(mail, replace(_ALL, dsn=True)).rcpt

    original = rb'"\x{FC}\x{5C}\x{5C}\x{2B}\x{3D}"@example.com'
    assert line.endswith(b" ORCPT=utf-8;" + original + b"\r\n")


def test_dsn_of_a_long_address() -> None:
    """An original recipient that a server would find too long (500) is left out."""
    mail = replace(_MAIL, recipients=("+" * 200 + "@example.com",), dsn=_DSN)

    (line,) = _prepare(mail, Offers(dsn=True)).rcpt

    assert line.endswith(b"> NOTIFY=FAILURE,DELAY\r\n")

"""Mails taken apart for the inbox page."""

from __future__ import annotations

from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.inbox import headers, message
from local.inbox.headers import Address


def test_bodies_and_parts() -> None:
    """Text and HTML are bodies, an inline image and a file are parts, in their order."""
    mail = message.parse(_RELATED)

    assert (mail.text, mail.html) == ("Hello\r\n", '<img src="cid:logo@x">\r\n')
    assert [(part.filename, part.cid, part.inline) for part in mail.parts] == [
        ("logo.png", "logo@x", True),
        ("report.csv", None, False),
    ]
    assert mail.parts[0].content == b"PNG!"


def test_attached_text_is_no_body() -> None:
    """A text file attached to a mail is not taken for its text."""
    mail = message.parse(
        b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nfile"
    )

    assert mail.text is None
    assert mail.parts[0].content == b"file"


def test_attached_mail_is_one_part() -> None:
    """The bodies of a forwarded mail are not those of the mail itself."""
    mail = message.parse(
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Subject: inner\r\n\r\ninner text\r\n--b--\r\n"
    )

    assert mail.text is None
    assert [part.filename for part in mail.parts] == ["part-1.eml"]
    assert b"inner text" in mail.parts[0].content


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        ('"../../etc/passwd"', "passwd"),
        ('"C:\\\\evil\\\\a.exe"', "a.exe"),
        ('"..."', "part-1.octetstream"),
        ('"a\x07b.txt"', "ab.txt"),
        ("=?utf-8?q?=C3=BCber.txt?=", "über.txt"),
    ],
)
def test_filename_is_harmless(declared: str, shown: str) -> None:
    """A file name has neither folders nor control characters, and encoded words are read."""
    source = (
        "Content-Type: application/octet-stream\r\n"
        f"Content-Disposition: attachment; filename={declared}\r\n\r\nx"
    )

    assert message.parse(source.encode()).parts[0].filename == shown


def test_unknown_charset_is_read_as_utf8() -> None:
    """A mail in a character set nobody knows is shown as well as can be."""
    mail = message.parse("Content-Type: text/plain; charset=x-none\r\n\r\nGrüße".encode())

    assert mail.text == "Grüße"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?b?8J+Riw==?=", "Grüße👋"),
        ("Raw Grüße 東京", "Raw Grüße 東京"),
        ("=?x-none?q?a?=", "a"),
        ("=?utf-8?b?a?=", "=?utf-8?b?a?="),
        ("folded\r\n line", "folded line"),
        ("plain", "plain"),
    ],
)
def test_header_is_decoded(raw: str, shown: str) -> None:
    """Header values read as their sender meant them: encoded, raw UTF-8, folded or broken."""
    mail = message_from_bytes(f"Subject: {raw}\r\n\r\n".encode())

    assert headers.value(mail, "subject") == shown


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("=?utf-8?q?Doe=2C_J=C3=B6rg?= <a@b.example>", [Address("Doe, Jörg", "a@b.example")]),
        ("a@x.example, B <b@x.example>", [Address("", "a@x.example"), Address("B", "b@x.example")]),
        ("Jörg <jörg@bücher.example>", [Address("Jörg", "jörg@bücher.example")]),
        ("", []),
    ],
)
def test_addresses(raw: str, expected: list[Address]) -> None:
    """A comma inside an encoded name does not split the address."""
    mail = message_from_bytes(f"To: {raw}\r\n\r\n".encode())

    assert headers.addresses(mail, "To") == expected


def test_snippet_of_html_only() -> None:
    """A mail without text shows the first words of its HTML, not its style or markup."""
    mail = message.parse(
        b"Content-Type: text/html\r\n\r\n"
        b"<style>p{color:red}</style><!-- x --><p>Tea &amp;\r\n <b>cake</b>"
    )

    assert mail.snippet == "Tea & cake"


@given(st.binary(max_size=300))
def test_anything_can_be_taken_apart(source: bytes) -> None:
    """No mail, however broken, stops the inbox."""
    mail = message.parse(source)

    assert isinstance(mail.snippet, str)
    assert isinstance(headers.fields(mail.message), list)
    assert isinstance(headers.addresses(mail.message, "From"), list)


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_header_value_can_be_shown(subject: str, people: str) -> None:
    """No header value, however broken, stops the inbox."""
    clean = [text.replace("\r", "").replace("\n", "") for text in (subject, people)]
    source = f"Subject: {clean[0]}\r\nFrom: {clean[1]}\r\n\r\n".encode("utf-8", "surrogatepass")
    mail = message_from_bytes(source)

    assert isinstance(headers.value(mail, "Subject"), str)
    assert isinstance(headers.addresses(mail, "From"), list)


_RELATED = b"""\
Content-Type: multipart/mixed; boundary=m\r
\r
--m\r
Content-Type: multipart/alternative; boundary=a\r
\r
--a\r
Content-Type: text/plain\r
\r
Hello\r
\r
--a\r
Content-Type: multipart/related; boundary=r\r
\r
--r\r
Content-Type: text/html\r
\r
<img src="cid:logo@x">\r
\r
--r\r
Content-Type: image/png; name=logo.png\r
Content-ID: <logo@x>\r
Content-Transfer-Encoding: base64\r
\r
UE5HIQ==\r
--r--\r
--a--\r
--m\r
Content-Type: text/csv\r
Content-Disposition: attachment; filename=report.csv\r
\r
a,b\r
--m--\r
"""

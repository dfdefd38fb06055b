from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import Permanent
from tasks.mail import bodies
from tests.unit.mail.samples import (
    DEFAULTS,
    attached,
    composed,
    problems_of,
    read_back,
    with_message,
)


TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\r\n \t.=\0ü"))


def transfer_encoding(text: str, *, seven_bit: bool = False) -> str:
    part = bodies.text_part(text, "plain", seven_bit=seven_bit)
    return part.headers[1].removeprefix("Content-Transfer-Encoding: ")


@pytest.mark.parametrize(
    ("text", "eight_bit", "seven_bit"),
    [
        ("plain", "7bit", "7bit"),
        ("x" * 998, "7bit", "7bit"),
        ("x" * 999, "quoted-printable", "quoted-printable"),
        ("some words and a ü", "8bit", "quoted-printable"),
        ("日本語", "8bit", "base64"),
        ("x" * 998 + "\r\n" + "ü" * 499, "8bit", "base64"),
        ("ü" * 500, "base64", "base64"),
        ("nul\0", "quoted-printable", "quoted-printable"),
    ],
)
def test_transfer_encoding(text: str, eight_bit: str, seven_bit: str) -> None:
    """Text goes out as it is where lines of 998 octets, 8BITMIME and no NUL allow it."""
    assert transfer_encoding(text) == eight_bit
    assert transfer_encoding(text, seven_bit=True) == seven_bit


@pytest.mark.parametrize("text", ["a\nb\n", "a\rb\r", "a\r\nb\r\n", "a\nb\r", "\n\r\n\r", ""])
def test_line_ends(text: str) -> None:
    """CR, LF and CRLF all become CRLF."""
    assert bodies.crlf(text).replace("\r\n", "").count("\r") == 0
    assert bodies.crlf(text).splitlines() == text.splitlines()


@given(text=TEXT, seven_bit=st.booleans())
def test_text_reads_back(text: str, *, seven_bit: bool) -> None:
    """Any text survives in any encoding, but for the form of its line ends."""
    part = bodies.text_part(text, "plain", seven_bit=seven_bit)

    content = b"".join((b"MIME-Version: 1.0\r\n", *part.chunks()))

    (lines,) = {bodies.crlf(text).encode()}
    assert read_back(content).get_payload(decode=True) == lines
    assert not any(octet in part.body.replace(b"\r\n", b"") for octet in b"\r\n\0")
    assert all(len(line) <= 998 for line in part.body.split(b"\r\n"))
    assert part.body.isascii() or not seven_bit


def test_text_alone() -> None:
    """A mail with text only is one part, in US-ASCII when it can be."""
    mail = with_message(text="Hi")

    assert read_back(mail.content)["Content-Type"] == 'text/plain; charset="us-ascii"'
    assert mail.content.endswith(b"\r\n\r\nHi\r\n")
    assert not mail.has_8bit
    assert mail.seven_bit is None


def test_text_and_html() -> None:
    """Text and HTML are alternatives, the HTML last, as the better one."""
    message = read_back(with_message(text="Grüße", html="<p>Grüße</p>").content)

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content() for part in message.iter_parts()] == ["Grüße", "<p>Grüße</p>"]


def test_whole_tree() -> None:
    """Inline images stand beside the HTML, other files beside everything (RFC 2387, RFC 2046)."""
    content = attached(
        {"filename": "a.pdf", "content": "x"},
        {"filename": "b.png", "content": "x", "cid": "b"},
        html="<img src='cid:b'>",
    ).content

    types = [part.get_content_type() for part in read_back(content).walk()]

    assert types == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ]


def test_text_from_html() -> None:
    """HTML alone gets a text where the setting says so; a text of the document's own stays."""
    derive = replace(DEFAULTS, text_from_html=True)
    page = {"subject": "s", "html": "<p>Grüße"}

    derived = read_back(composed(derive, message=page).content)
    own = read_back(composed(derive, message=page | {"text": "Hi"}).content)
    nothing = read_back(composed(derive, message=page | {"html": "<img src=x>"}).content)

    assert [part.get_content_type() for part in derived.iter_parts()] == ["text/plain", "text/html"]
    assert next(iter(derived.iter_parts())).get_content() == "Grüße\r\n"
    assert next(iter(own.iter_parts())).get_content() == "Hi"
    assert nothing.get_content_type() == "text/html"
    assert read_back(composed(message=page).content).get_content_type() == "text/html"


def test_max_message_bytes() -> None:
    """A mail larger than allowed is refused as a whole, with both numbers."""
    small = replace(DEFAULTS, max_message_bytes=20_000)
    file = {"subject": "s", "text": "t", "attachments": [{"content": bytes(20_000)}]}

    composed(small, message=file | {"attachments": [{"content": bytes(10_000)}]})
    with pytest.raises(
        Permanent, match=r"^message of 2\d{4} bytes is larger than MAX_MESSAGE_BYTES"
    ):
        composed(small, message=file)


def test_amp() -> None:
    """AMP stands between text and HTML, in UTF-8 by name: what does not know it shows the last."""
    message = read_back(with_message(html="<p>Hi", amp="<html ⚡4email>").content)

    assert [part["Content-Type"] for part in message.iter_parts()] == [
        'text/plain; charset="us-ascii"',
        'text/x-amp-html; charset="utf-8"',
        'text/html; charset="us-ascii"',
    ]
    assert list(message.iter_parts())[1].get_content() == "<html ⚡4email>"


def test_amp_needs_another_form() -> None:
    """AMP alone is no mail: few programs show it."""
    assert problems_of(message={"subject": "s", "amp": "<html ⚡4email>"}) == [
        "message.text, message.html: at least one must be there and not be empty"
    ]


def test_eight_bit_is_said_at_every_level() -> None:
    """A multipart that holds 8-bit text says so itself (RFC 2045 section 6.4)."""
    eight = attached({"content": "x"}, text="ü", html="x").content
    seven = attached({"content": "x"}, text="u", html="x").content

    assert [part["Content-Transfer-Encoding"] for part in read_back(eight).walk()] == [
        *("8bit", "8bit", "8bit", "7bit", "base64")
    ]
    assert [part["Content-Transfer-Encoding"] for part in read_back(seven).walk()] == [
        *(None, None, "7bit", "7bit", "base64")
    ]


def test_inline_without_html() -> None:
    """Without HTML nothing can refer to an inline file; it is an attachment among the others."""
    content = attached({"content": "x", "cid": "b"}).content

    types = [part.get_content_type() for part in read_back(content).walk()]

    assert types == ["multipart/mixed", "text/plain", "application/octet-stream"]


def test_empty_html_is_left_out() -> None:
    """An empty text or HTML is no alternative."""
    assert read_back(with_message(html="").content).get_content_type() == "text/plain"
    html_alone = with_message(text="", html="<p>").content
    assert read_back(html_alone).get_content_type() == "text/html"


def test_seven_bit() -> None:
    """The mail for a server without 8BITMIME says the same in ASCII."""
    mail = attached({"filename": "ü.txt", "content": "ü"}, text="Grüße", html="<p>日本語")

    assert mail.has_8bit
    assert mail.seven_bit is not None
    assert mail.seven_bit().isascii()
    one, other = read_back(mail.content), read_back(mail.seven_bit())
    assert one["Content-Transfer-Encoding"] == "8bit"
    del one["Content-Transfer-Encoding"]
    assert one.items() == other.items()
    for ours, theirs in zip(one.walk(), other.walk(), strict=True):
        if not ours.is_multipart():
            assert ours.get_payload(decode=True) == theirs.get_payload(decode=True)


def test_boundary_is_never_guessed() -> None:
    """Each mail has boundaries of its own, so that no text can contain them on purpose."""
    boundaries = {read_back(with_message(html="x").content).get_boundary() for _ in range(3)}

    assert len(boundaries) == 3

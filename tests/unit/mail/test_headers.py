from __future__ import annotations

import re
from email.header import decode_header, make_header
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.mail import headers
from tests.unit.mail.samples import MESSAGE, composed, problems_of, read_back, with_message


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=200)


def unfolded(line: str) -> str:
    return line.replace("\r\n ", " ").partition(": ")[2]


@pytest.mark.parametrize(
    ("subject", "line"),
    [
        ("Hello, you!", b"Subject: Hello, you!\r\n"),
        ("Grüße an dich", b"Subject: =?utf-8?B?R3LDvMOfZQ==?= an dich\r\n"),
        ("Your café bill", b"Subject: Your =?utf-8?Q?caf=C3=A9?= bill\r\n"),
        ("日本語", b"Subject: =?utf-8?B?5pel5pys6Kqe?=\r\n"),
        ("=?utf-8?Q?x?=", b"Subject: =?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?=\r\n"),
        ("tab\there", b"Subject: =?utf-8?Q?tab=09here?=\r\n"),
    ],
)
def test_encoded_only_where_needed(subject: str, line: bytes) -> None:
    """ASCII stays as it is; only the words from the first to the last that need it are encoded."""
    assert line in with_message(subject=subject).content


@given(TEXTS)
def test_subject_reads_back(subject: str) -> None:
    """Any text survives as a subject, on lines of at most 76 characters where it has spaces."""
    line = headers.unstructured("Subject", subject)

    # Written out plainly, white space at a fold is the text's own; between encoded words none is.
    decoded = str(make_header(decode_header(unfolded(line))))
    assert decoded == subject
    assert line.isascii()


NON_ASCII = st.characters(
    min_codepoint=0x80, exclude_categories=["Cs"], exclude_characters="\ufffd"
)


@given(st.text(NON_ASCII, min_size=1))
def test_encoded_lines_are_short(text: str) -> None:
    """No line with an encoded word passes 76 characters (RFC 2047), and no character is split."""
    for line in headers.unstructured("Subject", text).split("\r\n"):
        assert len(line) <= 76
        for word in re.findall(r"=\?utf-8\?[QB]\?[^ ]*\?=", line):
            assert "\ufffd" not in str(make_header(decode_header(word)))


@pytest.mark.parametrize("subject", ["word " * 400, "x" * 5000, "ü" * 3000, " " * 2000, "a" * 950])
def test_long_subjects(subject: str) -> None:
    """However long a subject is, no line passes 998 octets, and it reads back."""
    content = with_message(subject=subject).content

    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert read_back(content)["Subject"].rstrip() == subject.rstrip()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ann Lee", "Ann Lee"),
        ("Lee, Ann", '"Lee, Ann"'),
        ('A "B"', r'"A \"B\""'),
        ("Dr. Ann", '"Dr. Ann"'),
        ("Jürgen", "=?utf-8?Q?J=C3=BCrgen?="),
    ],
)
def test_display_names(name: str, written: str) -> None:
    """A display name is an atom, a quoted string or encoded, whichever it needs."""
    assert " ".join(headers.phrase(name)) == written


@given(TEXTS.filter(str.strip))
def test_display_name_reads_back(name: str) -> None:
    """Any display name survives."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')

    mail = composed(from_=f'"{quoted}" <a@x.org>')

    line = mail.content.partition(b"\r\nTo:")[0].decode().removeprefix("From:")
    phrase = line.replace("\r\n ", " ").removesuffix("<a@x.org>").strip()
    if phrase.startswith('"'):
        assert re.sub(r"\\(.)", r"\1", phrase[1:-1]) == name
    else:
        assert str(make_header(decode_header(phrase))) == name


def test_custom_headers() -> None:
    """A header's value may be a list: one line each, in order."""
    mail = composed(headers={"X-One": "1", "X-Two": ["2", "zwei äöü"], "X-None": []})

    read = read_back(mail.content)
    assert read["X-One"] == "1"
    assert read.get_all("X-Two") == ["2", "zwei äöü"]
    assert "X-None" not in read


@pytest.mark.parametrize("name", ["", "X A", "X:A", "Ü", "X\tA", "x" * 71, "X-A\r\nBcc", "X\0"])
def test_header_names(name: str) -> None:
    """A name that would break the header is refused."""
    (problem,) = problems_of(headers={name: "x"})

    assert "is no header name" in problem


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("From", "use the field from"),
        ("to", "use the field to"),
        ("CC", "use the field cc"),
        ("Bcc", "use the field bcc"),
        ("Subject", "use the field message.subject"),
        ("Content-Type", "this header is not the document's to set"),
        ("MIME-Version", "this header is not the document's to set"),
        ("Resent-To", "this header is not the document's to set"),
        ("DKIM-Signature", "this header is not the document's to set"),
        ("Received", "this header is not the document's to set"),
        ("Return-Path", "this header is not the document's to set"),
    ],
)
def test_headers_that_are_not_the_documents(name: str, problem: str) -> None:
    """Headers that have a field, or belong to the mail's structure or its way, are refused."""
    assert problems_of(headers={name: "x@x.org"}) == [f"headers.{name} is not allowed: {problem}"]


def test_reply_to_and_message_id_among_the_headers() -> None:
    """They count as the fields, as in the Firebase extension; both at once is an error."""
    mail = composed(headers={"reply-to": "Help <help@x.org>", "Message-Id": "<a@b>"})

    assert mail.message_id == "<a@b>"
    assert mail.content.count(b"Message-ID: <a@b>\r\n") == 1
    assert mail.content.count(b"Reply-To: Help <help@x.org>\r\n") == 1
    assert problems_of(
        headers={"Reply-To": "a@b", "Message-ID": "<a@b>"},
        replyTo="c@d",
        message=MESSAGE | {"messageId": "<c@d>"},
    ) == [
        "headers.Reply-To stands beside replyTo: give one of them",
        "headers.Message-ID stands beside message.messageId: give one of them",
    ]


def test_headers_that_stand_in_for_ours() -> None:
    """Date and Sender may be given; ours then give way."""
    date = "Mon, 1 Jan 2024 00:00:00 +0100"

    mail = composed(headers={"Date": date, "Sender": "Böt <bot@x.org>"}, from_="a@x.org, b@x.org")

    read = read_back(mail.content)
    assert read.get_all("Date") == ["Mon, 01 Jan 2024 00:00:00 +0100"]
    assert read.get_all("Sender") == ["Böt <bot@x.org>"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"Date": "tomorrow"}, 'Date must look like "Tue, 5 Mar 2024 09:30:00 +0100"'),
        ({"Sender": "a@x.org, b@x.org"}, "Sender must be one valid address"),
        ({"Sender": "bot"}, "Sender must be one valid address"),
        ({"References": "<ä@b>"}, "References must be printable ASCII"),
        ({"References": ["<a@b>", "<c@d>"]}, "References must be given once"),
        ({"references": "<a@b>", "References": "<c@d>"}, "References must be given once"),
        (
            {"List-Unsubscribe": "<https://x.org/" + "u" * 1000 + ">"},
            "List-Unsubscribe has a part of more than 900 characters without a space",
        ),
    ],
)
def test_wrong_values_of_known_headers(fields: dict[str, Any], problem: str) -> None:
    """Headers whose form the standards fix are checked."""
    assert problems_of(headers=fields) == [f"headers.{problem}"]


def test_long_references_are_folded() -> None:
    """Structured headers are folded, never encoded."""
    ids = " ".join(f"<{number:040}@example.com>" for number in range(50))

    content = composed(headers={"References": ids}).content

    assert max(map(len, content.split(b"\r\n"))) <= 76
    assert read_back(content)["References"] == ids


def test_date_and_mime_version() -> None:
    """Every mail has a date, an id and the version of MIME, once each."""
    content = composed().content

    assert content.count(b"Date: Tue, 05 Mar 2024 08:30:00 +0000\r\n") == 1
    assert content.count(b"Message-ID: <") == 1
    assert content.count(b"MIME-Version: 1.0\r\n") == 1

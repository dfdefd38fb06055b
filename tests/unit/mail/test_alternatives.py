from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from tests.unit.mail.samples import MESSAGE, problems_of, read_back, with_message


def alternative(given: Any, **fields: Any) -> EmailMessage:
    """Compose text with one alternative, and give the alternative's part."""
    message = read_back(with_message(alternatives=[given], **fields).content)
    assert message.get_content_type() == "multipart/alternative"
    part = list(message.iter_parts())[-1]
    assert isinstance(part, EmailMessage)
    return part


def problems_with(given: Any) -> list[str]:
    problems = problems_of(message=MESSAGE | {"alternatives": [given]})
    return [problem.removeprefix("message.alternatives.0") for problem in problems]


def test_order() -> None:
    """Alternatives come after the HTML, in their order: the last is the best."""
    more = [{"contentType": f"text/x-{name}", "content": name} for name in "ab"]

    message = read_back(with_message(html="<p>", alternatives=[None, *more]).content)

    types = [part.get_content_type() for part in message.iter_parts()]
    assert types == ["text/plain", "text/html", "text/x-a", "text/x-b"]


def test_text_is_written_like_ours() -> None:
    """A text is readable on the wire, and its other parameters are kept."""
    part = alternative(
        {"contentType": 'text/markdown; charset=UTF-8; variant="a b"', "content": "ü\n"}
    )

    assert part["Content-Transfer-Encoding"] == "8bit"
    assert part["Content-Type"].params == {"charset": "utf-8", "variant": "a b"}
    assert part.get_content() == "ü\r\n"


@pytest.mark.parametrize(
    ("given", "type", "data"),
    [
        ({"content": "x"}, "text/plain", b"x"),
        ({"content": b"x"}, "text/plain", b"x"),
        ({"filename": "a.md", "content": "x"}, "text/markdown", b"x"),
        ({"content": "w7w=", "encoding": "base64"}, "text/plain", "ü".encode()),
        ({"content": b"\xfc"}, "text/plain", b"\xfc"),
        ({"content": "ü", "encoding": "latin1"}, "text/plain", b"\xfc"),
        ({"contentType": "text/csv; charset=x", "content": "ü"}, "text/csv", "ü".encode()),
        ({"contentType": "application/json", "content": "{}\n"}, "application/json", b"{}\n"),
        ({"path": "data:text/x-a;base64,/w=="}, "text/x-a", b"\xff"),
    ],
)
def test_type_and_content(given: dict[str, Any], type: str, data: bytes) -> None:
    """The content arrives byte for byte, under the type given, the file name's, or plain text."""
    part = alternative(given)

    assert part.get_content_type() == type
    assert part.get_payload(decode=True) == data


def test_no_disposition() -> None:
    """An alternative is no file, even with a name."""
    part = alternative({"filename": "a.md", "content": "x", "headers": {"X-A": "ü"}})

    assert "Content-Disposition" not in part
    assert part["Content-Type"].params["name"] == "a.md"
    assert part["X-A"] == "ü"


def test_seven_bit() -> None:
    """For a server without 8BITMIME an alternative is encoded, like the other texts."""
    mail = with_message(
        alternatives=[{"contentType": "text/x-a", "content": "Viele Grüße aus dem hohen Norden"}]
    )

    assert mail.seven_bit is not None
    part = list(read_back(mail.seven_bit()).iter_parts())[-1]
    assert part["Content-Transfer-Encoding"] == "quoted-printable"
    assert part.get_payload(decode=True) == "Viele Grüße aus dem hohen Norden".encode()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, " has no content"),
        ({"content": "x", "contentType": "x"}, ".contentType must look like "),
        ({"content": "x", "contentType": "multipart/a"}, ".contentType must not be multipart"),
        ({"content": "x", "encoding": "x"}, ".encoding must be one of "),
        ({"content": "x", "headers": {"Content-ID": "x"}}, ".headers.Content-ID is not allowed"),
    ],
)
def test_wrong(given: Any, problem: str) -> None:
    """What is wrong with an alternative is named by its path."""
    (found,) = problems_with(given)

    assert found.startswith(problem)


RAW = "Content-Type: multipart/report; boundary=b\n\n--b\n\nü\n--b--\n"


def test_raw() -> None:
    """A raw part goes out as it is but for its line ends, headers included."""
    mail = with_message(
        alternatives=[{"raw": "Content-Type: text/x-a\nX-B:\n c\n\nx\ry"}],
        attachments=[{"raw": RAW.encode(), "filename": "ignored"}, {"raw": "\nno header"}],
    )

    assert b"\r\nContent-Type: text/x-a\r\nX-B:\r\n c\r\n\r\nx\r\ny\r\n--" in mail.content
    assert RAW.replace("\n", "\r\n").encode() in mail.content
    types = [part.get_content_type() for part in read_back(mail.content).walk()]
    assert types == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "text/x-a"),
        *("multipart/report", "text/plain", "text/plain"),
    ]


def test_raw_in_eight_bit() -> None:
    """An 8-bit raw part cannot be encoded here: such a mail has no form in 7 bits."""
    raw = with_message(attachments=[{"raw": RAW}])
    ascii_only = with_message(text="ü", attachments=[{"raw": RAW.replace("ü", "u")}])

    assert raw.has_8bit
    assert raw.seven_bit is None
    assert ascii_only.seven_bit is not None


@pytest.mark.parametrize("raw", ["", "\n", "A: b", "A: b\n", "A: b\n\n", "\n\n\nx"])
def test_short_raw(raw: str) -> None:
    """Headers, body or both may be missing."""
    mail = with_message(attachments=[{"raw": raw}])

    part = list(read_back(mail.content).iter_parts())[-1]
    head, _, body = raw.partition("\n\n") if raw[:1] == "A" else ("", "", raw[1:])
    assert part.items() == ([("A", "b")] if head else [])
    assert part.get_payload(decode=True) == body.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("just a text", "must begin with header lines (in ASCII) and an empty line"),
        (" folded: first\n\nx", "must begin with header lines (in ASCII) and an empty line"),
        ("Subject: ü\n\nx", "must begin with header lines (in ASCII) and an empty line"),
        ("A: b\n\n" + "x" * 999, "must have lines of at most 998 octets, and no NUL"),
        ("A: b\n\n\0", "must have lines of at most 998 octets, and no NUL"),
    ],
)
def test_wrong_raw(raw: str, problem: str) -> None:
    """What no part can be is an error."""
    assert problems_with({"raw": raw}) == [f".raw {problem}"]

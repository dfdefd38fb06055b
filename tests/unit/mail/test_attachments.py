from __future__ import annotations

import base64
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.mail.samples import MESSAGE, attached, problems_of, read_back


def part_of(attachment: Any, **fields: Any) -> EmailMessage:
    (part,) = read_back(attached(attachment, **fields).content).iter_attachments()
    assert isinstance(part, EmailMessage)
    return part


def problems_with(attachment: Any) -> list[str]:
    prefix = "message.attachments.0"
    problems = problems_of(message=MESSAGE | {"attachments": [attachment]})
    return [problem.removeprefix(prefix) for problem in problems]


@pytest.mark.parametrize(
    ("content", "encoding", "data"),
    [
        ("ü", None, "ü".encode()),
        ("ü", "utf8", "ü".encode()),
        ("ü", "UTF-8", "ü".encode()),
        ("w7w=", "base64", "ü".encode()),
        ("w7w", "base64", "ü".encode()),
        ("w7\r\nw=\n", "base64", "ü".encode()),
        ("-_-_", "base64", b"\xfb\xff\xbf"),
        ("-_-_", "base64url", b"\xfb\xff\xbf"),
        ("C3bc", "hex", "ü".encode()),
        ("ü", "latin1", b"\xfc"),
        ("ü", "binary", b"\xfc"),
        ("u", "ascii", b"u"),
        ("ü", "utf16le", b"\xfc\0"),
        ("ü", "ucs2", b"\xfc\0"),
        (b"\0\xff", "base64", b"\0\xff"),
        (b"", None, b""),
        ("", "base64", b""),
    ],
)
def test_content(content: str | bytes, encoding: str | None, data: bytes) -> None:
    """Content is decoded by Node's names of encodings; binary is taken as it is."""
    part = part_of({"content": content, "encoding": encoding})

    assert part.get_payload(decode=True) == data


@pytest.mark.parametrize(
    ("content", "encoding", "problem"),
    [
        ("a*b=", "base64", ".content is not base64"),
        ("é", "base64", ".content is not base64"),
        ("a=bc", "base64", ".content is not base64"),
        ("abcde", "base64", ".content is not base64: it ends in the middle of a byte"),
        ("abc", "hex", ".content is not hexadecimal"),
        ("ü", "ascii", ".content has characters that us-ascii cannot express"),
        ("€", "latin1", ".content has characters that iso-8859-1 cannot express"),
    ],
)
def test_wrong_content(content: str, encoding: str, problem: str) -> None:
    """Content that is not in its encoding is an error: half a file is worse than none."""
    assert problems_with({"content": content, "encoding": encoding}) == [problem]


def test_unknown_encoding() -> None:
    """An unknown encoding is an error that lists the known ones."""
    (problem,) = problems_with({"content": "x", "encoding": "rot13"})

    assert problem.startswith(".encoding must be one of utf8, utf-8, base64,")


def test_no_content() -> None:
    """An attachment without content is an error."""
    assert problems_with({"filename": "a.txt"}) == [" has no content"]


@pytest.mark.parametrize(
    ("uri", "type", "data"),
    [
        ("data:text/csv;base64,YQ==", "text/csv", b"a"),
        ("DATA:image/png;base64,iVBO", "image/png", b"\x89PN"),
        ("data:text/html;charset=utf-8,%3Cp%3E", "text/html", b"<p>"),
        ("data:,a%20b", "application/octet-stream", b"a b"),
    ],
)
@pytest.mark.parametrize("field", ["path", "href"])
def test_data_uri(field: str, uri: str, type: str, data: bytes) -> None:
    """A data: URI carries its content and its type; nothing is fetched."""
    part = part_of({field: uri})

    assert (part.get_content_type(), part.get_payload(decode=True)) == (type, data)


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("data:text/plain", ".path is no valid data: URI (data:image/png;base64,…)"),
        ("data:;base64,a*", ".path is not base64"),
        ("data:text,x", '.path must look like "text/csv" or "text/csv; charset=utf-8"'),
    ],
)
def test_wrong_data_uri(uri: str, problem: str) -> None:
    """A broken data: URI is an error naming its field."""
    assert problems_with({"path": uri}) == [problem]


@pytest.mark.parametrize(
    ("filename", "type"),
    [
        ("a.pdf", "application/pdf"),
        ("a.b.PNG", "image/png"),
        ("a.txt", "text/plain"),
        ("a.tar.gz", "application/gzip"),
        (
            "a.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("pdf", "application/octet-stream"),
        (".pdf", "application/octet-stream"),
        ("a.unknown", "application/octet-stream"),
    ],
)
def test_type_from_the_name(filename: str, type: str) -> None:
    """Without contentType the file name decides, the same on every machine."""
    part = part_of({"filename": filename, "content": b"\xff"})

    assert part.get_content_type() == type


def test_content_type() -> None:
    """contentType beats the name; its parameters are kept."""
    part = part_of(
        {"filename": "a.txt", "contentType": 'Text/CSV; header="a;b"; charset=x', "content": "y"}
    )

    assert part.get_content_type() == "text/csv"
    assert part["Content-Type"].params["header"] == "a;b"
    assert part["Content-Type"].params["charset"] == "x"


@pytest.mark.parametrize("type", ["text", "text/", "a/b/c", "a/b; c", "a b/c", "ä/b", "a/b; c=ä"])
def test_wrong_content_type(type: str) -> None:
    """A contentType that is none is an error."""
    (problem,) = problems_with({"content": "x", "contentType": type})

    assert problem.startswith(".contentType ")


def test_multipart_is_no_file() -> None:
    """A multipart type would make the mail's structure a lie."""
    (problem,) = problems_with({"content": "x", "contentType": "multipart/mixed"})

    assert problem == ".contentType must not be multipart: use raw for that"


@pytest.mark.parametrize(
    ("content", "encoding", "charset"),
    [
        ("ü", None, "utf-8"),
        ("ü", "latin1", "iso-8859-1"),
        (b"\xfc", None, None),
        ("a", "utf16le", "utf-16le"),
    ],
)
def test_charset_of_text(content: str | bytes, encoding: str | None, charset: str | None) -> None:
    """Attached text says its charset, where it is known."""
    part = part_of({"filename": "a.txt", "content": content, "encoding": encoding})

    assert part["Content-Type"].params.get("charset") == charset


@pytest.mark.parametrize(
    "name",
    [
        "a.pdf",
        "ü.pdf",
        "a b;c.pdf",
        'a"b.pdf',
        "a\\b.pdf",
        "日本語" * 30,
        "x" * 200,
        "=?x?=",
        "'%.txt",
    ],
)
def test_filename(name: str) -> None:
    """Any file name survives, in both headers that may carry it."""
    part = part_of({"filename": name, "content": "x"})

    assert part.get_filename() == name
    assert part["Content-Type"].params["name"] == name


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=255))
def test_any_filename(name: str) -> None:
    """Whatever a file is called, no header line passes 78 characters."""
    content = attached({"filename": name, "content": "x"}).content

    assert max(map(len, content.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("attachment", "name"),
    [
        ({"contentType": "application/pdf"}, "attachment-1.pdf"),
        ({"filename": " "}, "attachment-1.bin"),
        ({"filename": " a.pdf "}, "a.pdf"),
        ({"filename": False}, None),
    ],
)
def test_unnamed(attachment: dict[str, Any], name: str | None) -> None:
    """An unnamed file gets a name that opens; `filename: false` leaves it without."""
    assert part_of({"content": b"x"} | attachment).get_filename() == name


def test_cid() -> None:
    """A file with a cid is inline and has a Content-ID; given brackets are not doubled."""
    mail = attached({"content": "x", "cid": "<logo>", "filename": "a.png"}, html="<img>")

    (part,) = (part for part in read_back(mail.content).walk() if part["Content-ID"])
    assert (part["Content-ID"], part.get_content_disposition()) == ("<logo>", "inline")


@pytest.mark.parametrize("cid", ["a b", "ä", "a<b", "x" * 201])
def test_wrong_cid(cid: str) -> None:
    """A cid that no HTML could refer to is an error."""
    assert problems_with({"content": "x", "cid": cid}) == [
        ".cid must be at most 200 printable ASCII characters without spaces"
    ]


def test_disposition() -> None:
    """contentDisposition is taken over; anything but the two is an error."""
    part = part_of({"content": "x", "contentDisposition": "Inline"})

    assert part.get_content_disposition() == "inline"
    assert problems_with({"content": "x", "contentDisposition": "form-data"}) == [
        '.contentDisposition must be "attachment" or "inline", not "form-data"'
    ]


def test_own_headers() -> None:
    """A part may have headers of its own, but not those that have a field."""
    part = part_of({"content": "x", "headers": {"Content-Description": "Übersicht", "X-A": ["1"]}})

    assert (part["Content-Description"], part["X-A"]) == ("Übersicht", "1")
    taken, odd = problems_with({"content": "x", "headers": {"Content-ID": "x", "a b": "c"}})
    assert taken == ".headers.Content-ID is not allowed: use cid"
    assert odd.startswith('.headers."a b" is no header name')


def test_attached_mail() -> None:
    """An attached mail is never base64 (RFC 2046 5.2.1); what 7bit cannot carry is a plain file."""
    mail = "Subject: inner\n\nHi\n"

    inner = part_of({"filename": "a.eml", "content": mail})
    other = part_of({"filename": "a.eml", "content": mail + "ü"})

    assert inner.get_content_type() == "message/rfc822"
    assert inner.get_content()["Subject"] == "inner"
    assert (other.get_content_type(), other.get_filename()) == ("application/octet-stream", "a.eml")
    assert other.get_content() == (mail + "ü").encode()


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Bytes arrive as they were, on lines of base64."""
    part = part_of({"content": data})

    assert part.get_payload(decode=True) == data
    assert base64.b64decode(str(part.get_payload())) == data

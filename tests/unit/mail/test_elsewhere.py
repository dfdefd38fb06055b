from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from bson import ObjectId

from tasks.envelope import Mail
from tasks.errors import InvalidDocument, Transient
from tasks.mail import compose, wanted
from tasks.mail.elsewhere import Elsewhere, Place
from tasks.mail.gathered import Fault, File, Gathered, Key, WantedFile
from tests.unit.mail.samples import DEFAULTS, MESSAGE, NOW, document, problems_of, read_back


OID = ObjectId("65e6d1c0a1b2c3d4e5f60718")
FIRST: Key = ("message", "attachments", 0)
EVENT = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def composed(files: Mapping[Key, File | Fault], **message: Any) -> Mail:
    gathered = Gathered(files=files)
    return compose(document(message=MESSAGE | message), DEFAULTS, now=NOW, gathered=gathered)


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ({"path": "a/b.pdf"}, Elsewhere(Place.FILE, "path", "a/b.pdf")),
        ({"path": "HTTPS://x.org"}, Elsewhere(Place.WEB, "path", "HTTPS://x.org")),
        ({"href": "http://x.org"}, Elsewhere(Place.WEB, "href", "http://x.org")),
        ({"href": "/etc/passwd"}, Elsewhere(Place.WEB, "href", "/etc/passwd")),
        ({"gridfs": OID}, Elsewhere(Place.BUCKET, "gridfs", OID)),
        ({"path": "", "gridfs": 0}, Elsewhere(Place.BUCKET, "gridfs", 0)),
        ({"path": "a", "href": "b", "gridfs": "c"}, Elsewhere(Place.FILE, "path", "a")),
    ],
)
def test_wanted(part: Any, where: Elsewhere) -> None:
    """What a part refers to is wanted: a file by its path, a URL (in `path`, too), or GridFS."""
    whole = document(message=MESSAGE | {"attachments": [None, part]})

    assert wanted(whole).files == (WantedFile(("message", "attachments", 1), where, {}),)


@pytest.mark.parametrize(
    "part",
    [
        {"content": "x", "path": "a"},
        {"path": "data:,x"},
        {"href": "DATA:,x"},
        {"raw": "A: b\n\nc", "path": "a"},
        {},
    ],
)
def test_not_wanted(part: Any) -> None:
    """What stands in the document is not looked for elsewhere."""
    assert not wanted(document(message=MESSAGE | {"attachments": [part]}))


def test_everything_wanted() -> None:
    """Attachments, alternatives and the event, with the headers for the request."""
    part = {"href": "https://x.org", "httpHeaders": {"A": "b", "C": None}}
    message = {"attachments": [part], "alternatives": [part], "icalEvent": part}

    files = wanted(document(message=MESSAGE | message)).files

    keys = [FIRST, ("message", "alternatives", 0), ("message", "icalEvent")]
    assert [file.key for file in files] == keys
    assert [file.http_headers for file in files] == [{"A": "b"}] * 3


def test_wrong_documents_want_nothing() -> None:
    """For a document of wrong types nothing is fetched."""
    part = {"path": "a", "cid": 5}

    assert not wanted(document(message=MESSAGE | {"attachments": [part]}))


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"path": "a"}, "path needs the setting ATTACHMENT_ROOT"),
        ({"path": "https://x.org"}, "path needs the setting ATTACHMENT_HOSTS"),
        ({"href": "https://x.org"}, "href needs the setting ATTACHMENT_HOSTS"),
        ({"gridfs": OID}, "gridfs needs the setting ATTACHMENT_BUCKET"),
    ],
)
def test_settings(part: Any, problem: str) -> None:
    """A place that the settings do not open is an error that names the setting."""
    problems = problems_of(message=MESSAGE | {"attachments": [part]})

    assert problems == [f"message.attachments.0.{problem}"]


@pytest.mark.parametrize(
    ("given", "file", "type", "name"),
    [
        ({}, File(b"\xff", "a.pdf", "text/html"), "application/pdf", "a.pdf"),
        ({}, File(b"\xff", "a", "image/png; x=y"), "image/png", "a.png"),
        ({}, File(b"\xff"), "application/octet-stream", "attachment-1.bin"),
        ({}, File(b"\xff", "a.zip", "nonsense"), "application/zip", "a.zip"),
        ({}, File(b"\xff", "a", "nonsense"), "application/octet-stream", "a.bin"),
        ({}, File(b"\xff", "", "multipart/x"), "application/octet-stream", "attachment-1.bin"),
        ({}, File(b"\xff", "x\r\ny/..\\z.pdf"), "application/pdf", "xy..z.pdf"),
        ({}, File(b"\xff", "x" * 300 + ".pdf"), "application/pdf", "x" * 251 + ".pdf"),
        ({"filename": "b.png"}, File(b"\xff", "a.pdf", "text/html"), "image/png", "b.png"),
        ({"contentType": "a/b"}, File(b"\xff", "a.pdf"), "a/b", "a.pdf"),
        ({"filename": False}, File(b"\xff", "a.pdf"), "application/pdf", None),
    ],
)
def test_type_and_name(given: Any, file: File, type: str, name: str | None) -> None:
    """The document's word comes first, then the file's name, then what its place says."""
    mail = composed({FIRST: file}, attachments=[{"path": "x"} | given])

    (part,) = read_back(mail.content).iter_attachments()
    assert (part.get_content_type(), part.get_filename()) == (type, name)
    assert part.get_payload(decode=True) == b"\xff"


def test_everywhere() -> None:
    """Alternatives and the event may come from elsewhere, too."""
    files: dict[Key, File | Fault] = {
        ("message", "alternatives", 0): File("# Grüße".encode(), "a.md"),
        ("message", "icalEvent"): File(EVENT, "invite.ics"),
    }

    mail = composed(files, alternatives=[{"href": "https://x.org/a.md"}], icalEvent={"path": "b"})

    parts = {part.get_content_type(): part for part in read_back(mail.content).walk()}
    assert parts["text/markdown"].get_payload(decode=True) == "# Grüße".encode()
    assert parts["text/calendar"].get_payload(decode=True) == EVENT


def test_faults() -> None:
    """What cannot be had is a problem of the document, named with the others."""
    with pytest.raises(InvalidDocument) as caught:
        composed(
            {FIRST: Fault("is away", transient=True)}, subject=None, attachments=[{"path": "a"}]
        )
    assert caught.value.problems == ["message.subject is missing"]

    with pytest.raises(InvalidDocument) as caught:
        composed({FIRST: Fault("is no regular file")}, subject=None, attachments=[{"path": "a"}])
    assert caught.value.problems == [
        "message.subject is missing",
        "message.attachments.0.path is no regular file",
    ]


@pytest.mark.parametrize(
    ("name", "part"), [("attachments", [{"href": "a"}]), ("icalEvent", {"href": "a"})]
)
def test_away(name: str, part: Any) -> None:
    """When only something that is away is missing, a later attempt may work."""
    key: Key = ("message", name, 0) if name == "attachments" else ("message", name)

    with pytest.raises(Transient) as caught:
        composed({key: Fault("x.org did not answer in time", transient=True)}, **{name: part})

    assert str(caught.value).endswith(".href x.org did not answer in time")

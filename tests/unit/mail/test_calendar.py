from __future__ import annotations

from typing import Any

import pytest

from tests.unit.mail.samples import MESSAGE, problems_of, read_back, with_message


EVENT = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Größe\r\nEND:VCALENDAR\r\n"


def problems_with(event: Any) -> list[str]:
    problems = problems_of(message=MESSAGE | {"icalEvent": event})
    return [problem.removeprefix("message.icalEvent") for problem in problems]


def test_event() -> None:
    """An event is the last form of the text, with its method, and a file besides."""
    content = with_message(html="<p>", icalEvent={"method": "request", "content": EVENT}).content

    parts = list(read_back(content).walk())
    assert [part.get_content_type() for part in parts] == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "text/html"),
        *("text/calendar", "application/ics"),
    ]
    assert b"\r\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\r\n" in content
    assert parts[4].get_payload(decode=True) == EVENT.encode()
    assert parts[5].get_payload(decode=True) == EVENT.encode()
    assert (parts[5].get_filename(), parts[5].get_content_disposition()) == (
        *("invite.ics", "attachment"),
    )


@pytest.mark.parametrize(
    ("event", "method"),
    [
        (EVENT, "REQUEST"),
        ({"content": EVENT}, "REQUEST"),
        ({"content": EVENT, "method": "cancel"}, "CANCEL"),
        ({"content": EVENT.replace("METHOD", "X-METHOD")}, "PUBLISH"),
        ({"content": EVENT.encode()}, "REQUEST"),
        (EVENT.encode(), "REQUEST"),
    ],
)
def test_method(event: Any, method: str) -> None:
    """The method is the field's, the content's own, or PUBLISH."""
    content = with_message(icalEvent=event).content

    assert f"; method={method}\r\n".encode() in content


@pytest.mark.parametrize("text", ["\ufeff" + EVENT, "\n  " + EVENT, EVENT.replace("\r\n", "\n")])
def test_lenient_start(text: str) -> None:
    """White space and a byte order mark before it are taken away; lines end in CRLF."""
    content = with_message(icalEvent=text).content

    calendar = list(read_back(content).walk())[3]
    assert calendar.get_payload(decode=True) == EVENT.encode()


def test_names() -> None:
    """`filename` names the file; `false` leaves the file out."""
    named = with_message(icalEvent={"content": EVENT, "filename": "visit.ics"}).content
    alone = with_message(icalEvent={"content": EVENT, "filename": False}).content

    (file,) = read_back(named).iter_attachments()
    assert file.get_filename() == "visit.ics"
    assert read_back(alone).get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("nothing", [None, ""])
def test_none(nothing: Any) -> None:
    """No event, no part."""
    assert read_back(with_message(icalEvent=nothing).content).get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ("no calendar", ".content must begin with a line BEGIN:VCALENDAR"),
        ({"content": b"\xff"}, ".content must be in UTF-8"),
        ({"path": "data:,x"}, ".path must begin with a line BEGIN:VCALENDAR"),
        ({"content": EVENT, "encoding": "hex"}, ".content is not hexadecimal"),
        ({"method": "REQUEST"}, " has no content"),
    ],
)
def test_wrong(event: Any, problem: str) -> None:
    """An event that no calendar would read is an error: nobody would notice it otherwise."""
    assert problems_with(event) == [problem]


def test_wrong_method() -> None:
    """A method that RFC 5546 does not know is an error that lists the known ones."""
    (problem,) = problems_with({"content": EVENT, "method": "INVITE"})

    assert problem.startswith(".method must be one of PUBLISH, REQUEST, REPLY, ")

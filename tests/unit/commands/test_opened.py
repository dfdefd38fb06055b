"""A mail taken apart for a preview."""

from __future__ import annotations

from bson import Binary

from tasks.commands.opened import opened
from tests.unit.mail.samples import attached, with_message


def test_bodies_and_other_parts() -> None:
    """Text and HTML are shown; everything else has a name, a type and a size."""
    mail = attached(
        {"filename": "a.pdf", "content": Binary(b"%PDF-1.7")},
        {"filename": "n.txt", "content": "a text, and a file all the same"},
        {"cid": "logo", "content": Binary(b"\x89PNG"), "contentType": "image/png"},
        {"filename": "m.eml", "content": "Subject: x\n\nHi\n"},
        text="Grüße\n",
        html="<p>Grüße</p>",
        icalEvent="BEGIN:VCALENDAR\r\nEND:VCALENDAR",
    )

    read = opened(mail.content)

    assert dict(read.headers)["Subject"] == "Hello"
    assert (read.text, read.html) == ("Grüße\n", "<p>Grüße</p>")
    assert [(each.name, each.type, each.cid) for each in read.others] == [
        ("attachment-3.png", "image/png", "logo"),
        ("", "text/calendar", ""),
        ("a.pdf", "application/pdf", ""),
        ("n.txt", "text/plain", ""),
        ("m.eml", "message/rfc822", ""),
        ("invite.ics", "application/ics", ""),
    ]
    assert len(read.others[2].content) == 8
    assert b"Subject: x" in read.others[4].content


def test_html_alone() -> None:
    """There is no text then."""
    assert opened(with_message(text=None, html="<p>x</p>").content).text is None

"""The page that shows a mail's HTML is safe, whatever the mail holds."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from typing import Any

from tasks.commands.opened import Leaf
from tasks.commands.page import page


LOGO = Leaf("image/png", b"\x89PNG", "logo.png", "logo@example.com", attached=False)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(text: str) -> list[tuple[str, dict[str, Any]]]:
    parser = _Tags()
    parser.feed(text)
    return parser.found


def frame(mail: str, subject: str = "x") -> dict[str, Any]:
    [attributes] = [each for tag, each in tags(page(subject, mail, [LOGO])) if tag == "iframe"]
    return attributes


def test_the_frame_is_sandboxed_and_nothing_is_fetched() -> None:
    """No permission is given to the frame; the policy begins with nothing at all."""
    [policy] = [
        attributes["content"]
        for tag, attributes in tags(page("x", "<p>Hi</p>", []))
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]

    assert frame("<p>Hi</p>")["sandbox"] == ""
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy
    assert "script" not in policy


def test_the_mail_stays_inside() -> None:
    """Quotes and tags cannot end the attribute or the title."""
    hostile = '"></iframe><script src="https://example.com"></script>\' onload=x'

    shown = tags(page(f"</title>{hostile}", hostile, []))

    assert [tag for tag, _ in shown] == [
        *("html", "head", "meta", "meta", "meta", "meta", "title", "style", "body", "iframe")
    ]
    assert frame(hostile, hostile)["srcdoc"].endswith(hostile)


def test_no_connection_is_opened() -> None:
    """Browsers obey preconnect and dns-prefetch in spite of any policy, and connect for a frame."""
    inside = frame(
        '<LINK rel=preconnect href="//example.com"><link\nrel=dns-prefetch><p>links<iFrame src=x>'
    )

    assert {tag for tag, _ in tags(inside["srcdoc"])} == {"meta", "no-link", "no-iframe", "p"}


def test_inline_images_are_shown() -> None:
    """By their cid; other parts are not put into the page."""
    data = base64.b64encode(LOGO.content).decode()

    inside = frame(
        '<img src="cid:logo@example.com"><img src=cid:logo%40example.com><img src="cid:x">'
    )

    assert [attributes.get("src") for _, attributes in tags(inside["srcdoc"])][1:] == [
        f"data:image/png;base64,{data}",
        f"data:image/png;base64,{data}",
        "cid:x",
    ]

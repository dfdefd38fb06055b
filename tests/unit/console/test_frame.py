"""The HTML of a mail, for the frame."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from console import frame


PNG = b"\x89PNG\r\n\x1a\n and the rest"


def _mail(html: Any, *files: Any) -> dict[str, Any]:
    return {"message": {"html": html, "attachments": list(files)}}


@pytest.mark.parametrize(
    "content", [{"content": PNG}, {"content": base64.b64encode(PNG).decode(), "encoding": "BASE64"}]
)
def test_inline_pictures_are_put_in(content: dict[str, Any]) -> None:
    """A picture that the mail brings with it needs no net."""
    shown = frame.html(_mail('<img src="cid:a%20b"><img src=cid:x>', {"cid": "a b", **content}))

    encoded = base64.b64encode(PNG).decode()
    assert shown == (
        f'<base target="_blank"><img src="data:image/png;base64,{encoded}"><img src=cid:x>'
    )


def test_only_pictures_are_put_in() -> None:
    """Their kind is read from their content: what a document says of it is not trusted."""
    files = [{"cid": "a", "content": b"<svg onload=x>", "contentType": "image/svg+xml"}]
    files += [{"cid": "b", "content": "%%%", "encoding": "base64"}, {"cid": "c"}]
    shown = frame.html(_mail("<img src='cid:a'><img src='cid:b'><img src='cid:c'>", *files))

    assert shown is not None
    assert "data:" not in shown


def test_pictures_have_room_in_all() -> None:
    """One picture named ten thousand times makes no page of a gigabyte."""
    shown = frame.html(_mail('<img src="cid:a">' * 10_000, {"cid": "a", "content": PNG * 5000}))

    assert shown is not None
    assert len(shown) < 11_000_000


def test_the_doctype_stays_first() -> None:
    """Browsers lay out a page without it by other rules."""
    assert frame.html(_mail("<!doctype html><p>x")) == '<!doctype html><base target="_blank"><p>x'


@pytest.mark.parametrize("name", ["link", "LINK", "meta", "iframe", "object", "base"])
def test_nothing_connects(name: str) -> None:
    """What no policy keeps from connecting or leading away is gone, until it is asked for."""
    evil = f"<{name} rel=preconnect href=https://tracker.invalid>"

    assert f"<{name}" not in (frame.html(_mail(f"<p>x{evil}")) or "").removeprefix(frame._LINKS)
    assert evil in (frame.html(_mail(evil), remote=True) or "")


@pytest.mark.parametrize("html", [None, 7, b"x", ["x"]])
def test_no_html(html: Any) -> None:
    """A message without HTML, or with something else there, has none to show."""
    assert frame.html(_mail(html)) is None
    assert frame.html({"message": 7}) is None


@pytest.mark.parametrize("remote", [False, True])
def test_no_script_and_no_form(*, remote: bool) -> None:
    """Not even when pictures from the net are asked for."""
    policies = frame.policy(remote=remote).split("; ")

    assert "default-src 'none'" in policies
    assert "form-action 'none'" in policies
    assert not [each for each in policies if each.startswith("script-src")]
    assert [each for each in policies if each.startswith("sandbox")] == [
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    ]
    assert ("https:" in frame.policy(remote=remote)) is remote

"""The HTML of a mail, made safe to show."""

from __future__ import annotations

import pytest

from local.inbox import frame
from local.inbox.message import Part


_LOGO = Part("logo.png", "image/png", b"PNG!", cid="logo@x", inline=True)


@pytest.mark.parametrize(
    "html",
    [
        '<img src="cid:logo@x">',
        "<img src='cid:logo%40x'>",
        "<img src=cid:logo@x>",
        '<p style="background:url(cid:logo@x)">',
        '<p style="background:url( CID:logo@x )">',
    ],
)
def test_inline_image_is_put_in(html: str) -> None:
    """Pictures the mail brings along are shown, wherever its HTML names them."""
    assert "data:image/png;base64,UE5HIQ==" in frame.document(html, [_LOGO])


@pytest.mark.parametrize("html", ['<img src="cid:other">', "<p>see cid:x</p>"])
def test_unknown_image_stays(html: str) -> None:
    """What the mail does not bring along is left as it is."""
    assert frame.document(html, [_LOGO]).endswith(html)


@pytest.mark.parametrize(
    ("html", "beginning"),
    [
        ("<p>x", '<base target="_blank"><p>x'),
        ("<!doctype html><html><head><title>", '<!doctype html><html><head><base target="_blank">'),
        ("<!DOCTYPE html>\n<html lang=x>\n<body>", "<!DOCTYPE html>\n<html lang=x>\n<base"),
    ],
)
def test_links_open_elsewhere(html: str, beginning: str) -> None:
    """Links leave the frame, and the doctype stays first (else browsers go into quirks mode)."""
    assert frame.document(html, []).startswith(beginning)


def test_policy_forbids_scripts_and_the_net() -> None:
    """Nothing runs, and nothing is loaded from the net, unless asked: then pictures and fonts."""
    strict, open_ = frame.policy(remote=False), frame.policy(remote=True)

    assert "default-src 'none'" in strict
    assert "script-src" not in strict + open_
    assert "allow-scripts" not in strict + open_
    assert "allow-same-origin" not in strict + open_
    assert "http:" not in strict
    assert "img-src data: https: http:" in open_

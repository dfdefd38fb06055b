"""INLINE_CSS."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.mail import inline_css
from tasks.mail.inline_css import inline
from tests.unit.mail.samples import DEFAULTS, composed, problems_of, read_back


STYLED = "<style>p{color:red}</style><p>x"


def test_rules_are_written_to_elements() -> None:
    """A rule stands on each element it is for; the element's own style comes last."""
    html = inline('<style>p{color:red;margin:0}</style><p>a</p><p style="color:blue">b</p>')

    assert '<p style="color: red;margin: 0;">a</p>' in html
    assert '<p style="margin: 0;color: blue">b</p>' in html or "color: blue" in html
    assert "color: red" not in html.partition("<p>b")[2]


def test_what_no_element_can_have_stays() -> None:
    """Media queries, pseudo-classes and links stay where they are."""
    html = inline(
        "<style>@media (max-width:9px){p{color:red!important}} a:hover{color:green}</style>"
        '<link rel="icon" href="x"><!--[if mso]>x<![endif]--><p>a'
    )

    assert "@media (max-width:9px){p{color:red!important}}" in html
    assert "a:hover" in html
    assert '<link rel="icon" href="x">' in html
    assert "<!--[if mso]>x<![endif]-->" in html


def test_nothing_is_loaded(tmp_path: Path) -> None:
    """Neither a file nor a URL is read for a stylesheet."""
    (tmp_path / "x.css").write_text("p{color:teal}")
    links = f'<link rel="stylesheet" href="{tmp_path}/x.css">'
    links += f'<link rel="stylesheet" href="file://{tmp_path}/x.css">'
    links += '<link rel="stylesheet" href="http://127.0.0.1:1/x.css">'

    html = inline(f'{links}<style>@import "{tmp_path}/x.css"; b{{color:red}}</style><p>x</p>')

    assert "teal" not in html
    assert "<p>x</p>" in html


def test_without_style_nothing_changes() -> None:
    """HTML that has no <style> stays as it is."""
    assert inline("<P>a<br>b<styled>") == "<P>a<br>b<styled>"


@pytest.mark.parametrize(
    "html",
    [
        STYLED + "<div>" * 20_000,
        STYLED + "<table><td>" * 10_000,
        "<style>" + ".a" * 3000 + "{color:red}</style>" + f"<p class='{'a ' * 150}'>" * 1500,
        STYLED + "<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">",
        "<style>p{" + "".join(f"--a{n}:1;" for n in range(1000)) + "}</style>" + "<p>" * 2900,
        f"<style>{'p ~ ' * 400_000}p{{color:red}}</style>" + "<p>" * 100,
    ],
    ids=["deep", "tables", "classes", "attributes", "declarations", "selectors"],
)
def test_too_much(html: str) -> None:
    """What would end the process, or take more than seconds, is refused at once."""
    started = time.process_time()

    with pytest.raises(ValueError, match="INLINE_CSS"):
        inline(html)

    assert time.process_time() - started < 1


def test_as_deep_as_allowed() -> None:
    """The deepest HTML that is allowed is far from the end of a thread's stack."""
    html = STYLED + "<table><td>" * (inline_css.MAX_TAGS // 2 - 1)

    assert len(inline(html)) > len(html)


def test_in_a_mail() -> None:
    """With the setting, a mail's HTML has it; what is wrong with it is named."""
    defaults = replace(DEFAULTS, inline_css=True)
    message = {"subject": "x", "html": STYLED}

    body = read_back(composed(defaults, message=message).content).get_content()
    assert '<p style="color: red;">x</p>' in body
    assert "color: red" not in read_back(composed(message=message).content).get_content()
    assert problems_of(message={"subject": "x", "html": ""})

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local import showcase
from tasks.mail.text_from_html import text_from_html


CASES = {
    "words": ("<p>Some <b>bold</b>\n  words.</p>", "Some bold words."),
    "inside a word": ("un<b>break</b>able", "unbreakable"),
    "paragraphs": ("<p>a</p><p>b", "a\n\nb"),
    "lines": ("<div>a</div><div>b</div>c<br>d<br><br>e", "a\nb\nc\nd\n\ne"),
    "heading": ("<h1>a</h1>b", "a\n\nb"),
    "entities": ("&lt;b&gt; &amp; &euro;&nbsp;5 &#128075; &nix;", "<b> & € 5 👋 &nix;"),
    "lone brackets": ("1 < 2 > 0 <", "1 < 2 > 0 <"),
    "link": ('<a href="https://x.org/a?b&amp;c">Read on</a>.', "Read on <https://x.org/a?b&c>."),
    "link that says so": ('<a href="https://www.x.org/">x.org</a>', "x.org"),
    "link by mail": ('<a href="mailto:a@x.org?subject=b">a@x.org</a>', "a@x.org"),
    "link with an image": ('<a href="https://x.org"><img src=a></a>', "https://x.org"),
    "link in blocks": ('<a href="https://x.org"><div>go</div></a>b', "go <https://x.org>\nb"),
    "link to nowhere": ('<a href="#top">up</a> <a name=x>here</a>', "up here"),
    "image": ('<img alt="Our shop" src=x>', "Our shop"),
    "list": ("<ul><li>a<li>b</li></ul>c", "* a\n* b\nc"),
    "numbers": ("<ol><li>a<ul><li>b</ul><li>c</ol>", "1. a\n* b\n2. c"),
    "table": ("<table><tr><td>a</td><td>1</td></tr><tr><td>b<td>2</table>", "a  1\nb  2"),
    "rule": ("a<hr>b", f"a\n\n{'-' * 40}\n\nb"),
    "preformatted": ("<pre>a  b\r\n  c</pre>d", "a  b\n  c\n\nd"),
    "comments": ("a<!-- b > --><!--[if mso]><p>c<![endif]-->d<![if !mso]>e<![endif]>", "ade"),
    "head": ("<head><title>a</title><style>b{}</style></head><body>c", "c"),
    "open head": ("<html><head><meta charset=x><body>c</body></html>", "c"),
    "script": ("a<script>if (1 < 2) '</p>' + \"<b>\"</SCRIPT >b", "ab"),
    "preview text": ('<div style="color:red;Display : none">a<div>b</div></div>c', "c"),
    "hidden": ("<p hidden>a<p>b", "b"),
    "padding": ("Hi<span>&zwnj;&nbsp;&zwnj;&nbsp;&#847;</span>you", "Hi you"),
    "unclosed quote": ('a<b title="x>y</b>', "a"),
    "unclosed comment": ("a<!-- b", "a"),
    "attributes": ("""<p title='a>b' data-x=">" hidden=no>c</p>d""", "d"),
    "stray end": ("a</div></p>b", "a\n\nb"),
    "nothing": ("<html><body><img src=x></body></html>", ""),
    "empty": ("", ""),
}


@pytest.mark.parametrize(("page", "text"), CASES.values(), ids=CASES)
def test_text(page: str, text: str) -> None:
    """The text is what a reader of the page would see."""
    assert text_from_html(page) == (f"{text}\n" if text else "")


def test_an_example() -> None:
    """A page as mails are built, of tables within tables, reads like a letter."""
    page = showcase.load()["html-with-inline-image"]["message"]["html"]

    assert text_from_html(page).splitlines() == [
        *("Northlight Coffee Roasters", ""),
        *("Your coffee is on its way, Grace", ""),
        "We roasted it this morning. It should be with you on Thursday, still talking about it.",
        *("", "Ethiopia Sidamo, 500 g  € 17.50", "Colombia Huila, 250 g  € 9.80"),
        *("Shipping  € 0.00", "Total  € 27.30", ""),
        *("Follow the parcel <https://example.com/orders/4711>", ""),
        "Northlight Coffee · 12 Harbour Lane · Order 4711",
    ]


PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<b", "<", ">", "</", "<!--", "-->", "<a href='x'>", "</a>", "<pre>"),
        *("<ol>", "<li>", "<td>", "<tr>", "</table>", "<script>", "</script>", "&amp;", '"', "'"),
        *("<div hidden>", "</div>", " ", "\n", "word", "<br>", "<body>", "<?", "<img alt=x>"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=60).map("".join))
def test_any_page(page: str) -> None:
    """No page is an error; the text has no blank ends, none at a line's end, no three breaks."""
    text = text_from_html(page)

    assert text == "" or text.endswith("\n")
    assert text.strip("\n") == text.removesuffix("\n")
    assert "\n\n\n" not in text
    assert all(line == line.rstrip() for line in text.split("\n"))


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Cf"), exclude_characters="<&")))
def test_plain_words_stay(words: str) -> None:
    """Text without markup is itself."""
    assert text_from_html(words) == (f"{words}\n" if words.strip() else "")


def test_ends_of_scripts_that_do_not_end_cost_in_proportion() -> None:
    """Looking from each of them for its > took minutes for a page of 1 MB."""
    started = time.process_time()

    assert text_from_html("before<script>" + "</script" * 40_000) == "before\n"

    assert time.process_time() - started < 2

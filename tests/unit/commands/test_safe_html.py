"""Other people's HTML on a page of ours."""

from __future__ import annotations

from html.parser import HTMLParser

from tasks.commands import safe_html


EVIL = '"></iframe><script>alert(1)</script><img src="https://x.example/a.png" onerror=alert(1)>'


class _Tags(HTMLParser):
    """The tags of a page, as a browser finds them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_nothing_of_it_is_a_tag_of_the_page() -> None:
    """Whatever stands in names, values, texts and HTML, the page has its own tags and no others."""
    page = safe_html.page(
        EVIL, [(EVIL, EVIL)], texts=[(EVIL, EVIL)], frames=[(EVIL, EVIL), ("b", EVIL)]
    )

    tags = _Tags(page).found

    names = [tag for tag, _ in tags]
    assert "script" not in names
    assert "img" not in names
    frames = [attributes for tag, attributes in tags if tag == "iframe"]
    inside = safe_html.sealed(EVIL)
    assert [(each["sandbox"], each["srcdoc"]) for each in frames] == [("", inside)] * 2


def test_elements_that_connect_in_spite_of_the_policy() -> None:
    """Browsers open connections for a link or a frame before they ask the policy."""
    html = '<LINK rel="preconnect" href="https://x.example"><iframe src="https://x.example">'

    assert not {"link", "iframe"} & {tag for tag, _ in _Tags(safe_html.sealed(html)).found}


def test_policy() -> None:
    """The page, and with it the frame, may load nothing and run nothing."""
    [policy] = [
        attributes["content"]
        for tag, attributes in _Tags(safe_html.page("x", frames=[("a", EVIL)])).found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]

    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "http" not in policy
    assert "script-src" not in rules
    # A policy counts for what comes behind it.
    page = safe_html.page("x", frames=[("a", EVIL)])
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<iframe")

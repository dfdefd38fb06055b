from __future__ import annotations

from typing import Any

import pytest

from tests.unit.mail.samples import composed, problems_of, read_back


URL = "https://example.com/unsubscribe?u=1&t=x,y"


def lines(**fields: Any) -> list[tuple[str, str]]:
    """Compose a mail of a list, and give its List-* lines."""
    message = read_back(composed(list=fields).content)
    return [(name, value) for name, value in message.items() if name.startswith("List-")]


def test_unsubscribe() -> None:
    """URLs stand in angle brackets, in their order (RFC 2369)."""
    assert lines(unsubscribe=URL) == [("List-Unsubscribe", f"<{URL}>")]
    assert lines(unsubscribe=["mailto:leave@example.com?subject=out", None, URL]) == [
        ("List-Unsubscribe", f"<mailto:leave@example.com?subject=out>, <{URL}>")
    ]


def test_one_click() -> None:
    """One-click is said by a line of its own (RFC 8058), a mailto URL may stand beside."""
    said = ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")

    assert lines(unsubscribe=URL, oneClick=True)[1] == said
    assert lines(unsubscribe=["mailto:a@example.com", URL], oneClick=True)[1] == said
    assert said not in lines(unsubscribe=URL, oneClick=False)


@pytest.mark.parametrize("urls", [None, "mailto:a@x.org", "http://x.org", [URL, "http://x.org"]])
def test_one_click_needs_one_https_url(urls: Any) -> None:
    """Without exactly one https URL, receivers would not show the button: an error."""
    problems = problems_of(list={"unsubscribe": urls, "oneClick": True})

    assert problems == ["list.oneClick needs exactly one https URL in list.unsubscribe"]


@pytest.mark.parametrize(
    ("id", "line"),
    [
        ("news.example.com", "<news.example.com>"),
        ("<news.example.com>", "<news.example.com>"),
        ("Our news <news.example.com>", "Our news <news.example.com>"),
        ('"News, ours" <news.example.com>', '"News, ours" <news.example.com>'),
        ("Größe <n.example.com>", "Größe <n.example.com>"),
    ],
)
def test_id(id: str, line: str) -> None:
    """The list's id stands in angle brackets, its name before them (RFC 2919)."""
    assert lines(id=id) == [("List-Id", line)]


@pytest.mark.parametrize("nothing", [None, {}, {"unsubscribe": "", "id": " "}, {"oneClick": False}])
def test_nothing(nothing: Any) -> None:
    """Empty fields ask for nothing."""
    assert b"List-" not in composed(list=nothing).content


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"unsubscribe": "example.com"}, "list.unsubscribe must be https, http or mailto URLs"),
        ({"unsubscribe": "ftp://x"}, "list.unsubscribe must be https, http or mailto URLs"),
        ({"unsubscribe": "https://x/ü"}, "list.unsubscribe must be https, http or mailto URLs"),
        ({"unsubscribe": "https://x/a b"}, "list.unsubscribe must be https, http or mailto URLs"),
        ({"unsubscribe": "https://x>,<y"}, "list.unsubscribe must be https, http or mailto URLs"),
        ({"unsubscribe": "https:///x"}, "list.unsubscribe has a URL without a host"),
        ({"unsubscribe": "mailto:x"}, "list.unsubscribe has a mailto URL without a valid address"),
        ({"unsubscribe": f"https://x/{'x' * 900}"}, "list.unsubscribe has a part of more than"),
        ({"unsubscribe": 5}, "list.unsubscribe must be a string or a list of strings"),
        ({"unsubscribe": URL, "oneClick": "yes"}, "list.oneClick must be true or false"),
        ({"id": "news"}, 'list.id must look like "news.example.com"'),
        ({"id": "our news.example.com"}, 'list.id must look like "news.example.com"'),
        ({"id": f"{'x' * 250}.example.com"}, 'list.id must look like "news.example.com"'),
        ({"id": "a\r\nBcc: x"}, "list.id must not contain a line break"),
    ],
)
def test_wrong(fields: dict[str, Any], problem: str) -> None:
    """What receivers could not read is an error."""
    (found,) = problems_of(list=fields)

    assert found.startswith(problem)


def test_given_twice() -> None:
    """The same line may come from `list` or from `headers`, not from both."""
    headers = {"List-Unsubscribe": f"<{URL}>", "list-id": "<n.example.com>"}

    assert problems_of(headers=headers, list={"unsubscribe": URL, "id": "n.example.com"}) == [
        "headers.List-Unsubscribe stands beside list.unsubscribe: give one of them",
        "headers.List-Id stands beside list.id: give one of them",
    ]
    assert b"List-Id" in composed(headers={"List-Unsubscribe": "<x>"}, list={"id": "a.b"}).content

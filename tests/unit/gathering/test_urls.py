from __future__ import annotations

import pytest

from tasks.gathering import urls
from tasks.gathering.errors import Unobtainable
from tasks.gathering.urls import Url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://Files.Example.com", Url("https", "files.example.com", 443, "/")),
        ("HTTP://x.org:8080/a?b=c#d", Url("http", "x.org", 8080, "/a?b=c")),
        (" https://x.org./a ", Url("https", "x.org", 443, "/a")),
        ("https://x.org/ü/%C3%BC?q=ü", Url("https", "x.org", 443, "/%C3%BC/%C3%BC?q=%C3%BC")),
        ("https://münchen.de/", Url("https", "xn--mnchen-3ya.de", 443, "/")),
        ("https://[::1]:81/", Url("https", "::1", 81, "/")),
        ("https://a%40b:c@x.org/", Url("https", "x.org", 443, "/", "Basic YUBiOmM=")),
        ("https://x.org?a", Url("https", "x.org", 443, "/?a")),
    ],
)
def test_parts(text: str, url: Url) -> None:
    """A URL is taken apart into what is checked and what is asked."""
    assert urls.parse(text) == url


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x",
            "/etc/passwd",
            "ftp://x.org/",
            "file:///etc/passwd",
            "gopher://x",
            "javascript:1",
        ),
        *(
            "https:///a",
            "https://",
            "https://x.org:port/",
            "https://x.org:99999/",
            "https://x\\@y/",
        ),
        *("https://x.org/a b", "https://x.org/\r\nHost: y", "https://x.org\t/", "https://a,b/"),
        *("https://[::1", "https://[fe80::1%25eth0]/", "https://[x]/", "https://ü..de/"),
    ],
)
def test_no_url(text: str) -> None:
    """What is no http or https URL, or could be read in two ways, is refused."""
    with pytest.raises(Unobtainable, match=r"^must be an http or https URL$"):
        urls.parse(text)


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("https://x.org", "x.org"),
        ("https://x.org:80", "x.org:80"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_host_header(url: str, header: str) -> None:
    """The Host header names the port unless it is the scheme's own."""
    assert urls.parse(url).host_header == header


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "http://x.org/b"),
        ("c?d", "http://x.org/a/c?d"),
        ("//y.org/", "http://y.org/"),
        ("https://y.org:444/z", "https://y.org:444/z"),
    ],
)
def test_redirection(location: str, target: str) -> None:
    """A redirection may be relative."""
    assert urls.parse("http://x.org/a/b").join(location) == urls.parse(target)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://x y", "http://[", "data:,x"])
def test_redirection_elsewhere(location: str) -> None:
    """A redirection to anything but http and https is refused."""
    with pytest.raises(Unobtainable, match=r"^is redirected to something that is no"):
        urls.parse("http://x.org/").join(location)


def test_filename() -> None:
    """The file's name is the path's last."""
    assert urls.parse("https://x.org/a/Gr%C3%B6%C3%9Fe.pdf?x=/y.z").filename == "Größe.pdf"
    assert urls.parse("https://x.org/a/").filename == ""

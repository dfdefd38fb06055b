"""Signatures."""

from __future__ import annotations

import base64

import pytest

from config import events
from watcher.events import signing


def test_the_example_of_standard_webhooks() -> None:
    """The specification's own example, byte for byte."""
    [key] = events.keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    headers = signing.headers(
        [key], "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', 1_614_265_330
    )

    assert headers == [
        (b"webhook-id", b"msg_p5jXN8AQM9LWM0D4loKWxJek"),
        (b"webhook-timestamp", b"1614265330"),
        (b"webhook-signature", b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]


def test_each_of_several_secrets_signs() -> None:
    """A secret is changed by giving both for a while."""
    old, new = "o" * 32, "n" * 32

    both = signing.headers(events.keys(f"{new} {old}"), "1", b"{}", 1)[2][1].split()

    alone = [signing.headers(events.keys(each), "1", b"{}", 1)[2][1] for each in (new, old)]
    assert both == alone


@pytest.mark.parametrize("secret", ["", "short", "whsec_c2hvcnQ=", "whsec_%%%", f"{'a' * 32} b"])
def test_secrets_that_could_be_guessed_are_refused(secret: str) -> None:
    """At least 24 bytes, every one of them."""
    with pytest.raises(ValueError, match="must be"):
        events.keys(secret)


def test_a_secret_in_base64_is_its_bytes() -> None:
    """After `whsec_`."""
    raw = bytes(range(24))

    assert events.keys(f"whsec_{base64.b64encode(raw).decode()}") == [raw]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/",
        "https://",
        "https://user:pw@a/",
        "https://a/ä",
        "https://a/ b",
        "http://a:999999",
    ],
)
def test_urls_that_are_none(url: str) -> None:
    """Said at the start, not at the first mail."""
    with pytest.raises(ValueError, match="must"):
        events.check_url(url)


def test_event_types() -> None:
    """In our order, each once; a misspelt one is said."""
    assert str(events.parse_types("onError, onSuccess,onError")) == "onSuccess,onError"
    with pytest.raises(ValueError, match="onSuccess"):
        events.parse_types("onsuccess")

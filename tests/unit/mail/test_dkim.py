"""DKIM: what is signed, by which key, and that dkimpy takes it for good."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.dkim import DkimKey
from tasks.envelope import Mail
from tasks.mail import Signers, compose
from tests.support.dkim_keys import ED25519, RSA, verified
from tests.unit.mail.samples import DEFAULTS, MESSAGE, NOW, composed, document, read_back


OURS = DkimKey("example.com", "mail", RSA)
SECOND = DkimKey("example.com", "ed", ED25519)
OTHER = DkimKey("news.example.com", "news", ED25519)
KEYS = (OURS, SECOND, OTHER)
SIGNING = replace(DEFAULTS, signers=Signers(KEYS))
EVERYTHING: dict[str, Any] = {
    "to": ["Jürgen Müller <jm@müller.example>", "b@example.org"],
    "cc": "c@example.org",
    "bcc": "hidden@example.org",
    "replyTo": "help@example.com",
    "headers": {"X-Spaces": "a  b\t c ", "Feedback-ID": "a:b:c:d", "References": "<a@b> <c@d>"},
    "list": {"unsubscribe": "https://example.com/u", "oneClick": True, "id": "news.example.com"},
    "message": {
        "subject": "Größe  42 " + "sehr lang " * 20,
        "text": "Grüße \t und  Leerzeichen   \r\n.\r\n.a\n\n \n\n",
        "html": "<p>ü</p>" * 200 + "<img src='cid:logo'>\n",
        "attachments": [
            {"filename": "größe.pdf", "content": bytes(range(256)) * 10},
            {"cid": "logo", "content": b"png", "contentType": "image/png"},
            {"raw": "Content-Type: text/x-raw\r\n\r\n  raw \t text  \r\n\r\n"},
        ],
    },
}


def signatures(mail: Mail) -> list[dict[str, str]]:
    """Give the tags of each signature."""
    values = read_back(mail.content).get_all("DKIM-Signature") or []
    pairs = [[tag.partition("=")[::2] for tag in value.split(";")] for value in values]
    return [{name.strip(): re.sub(r"\s", "", text) for name, text in each} for each in pairs]


def signed_names(mail: Mail) -> list[str]:
    return signatures(mail)[0]["h"].split(":")


@pytest.mark.parametrize("fields", [{}, EVERYTHING], ids=["small", "everything"])
def test_both_algorithms_are_good(fields: dict[str, Any]) -> None:
    """Each key of the domain signs, and dkimpy verifies each signature."""
    mail = composed(SIGNING, **fields)

    assert verified(mail.content, KEYS) == [True, True]
    assert [(each["a"], each["s"]) for each in signatures(mail)] == [
        ("rsa-sha256", "mail"),
        ("ed25519-sha256", "ed"),
    ]
    assert {each["c"] for each in signatures(mail)} == {"relaxed/relaxed"}
    assert {each["t"] for each in signatures(mail)} == {str(int(NOW.timestamp()))}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello", b"Hullo"),
        (b"Hi\r\n", b"Ho\r\n"),
        (b"jo@example.org", b"jo@example.net"),
        (b"From: ", b"From: other@example.com\r\nFrom: "),
        (b"\r\n\r\n", b"\r\nFrom: other@example.com\r\n\r\n"),
        (b"\r\n\r\n", b"\r\nSubject: other\r\n\r\n"),
        (b"\r\n\r\n", b"\r\nReply-To: thief@example.net\r\n\r\n"),
        (b"\r\n\r\n", b"\r\nContent-Type: text/html\r\n\r\n"),
        (b"Hi\r\n", b"Hi\r\nmore\r\n"),
    ],
)
def test_a_change_is_found(old: bytes, new: bytes) -> None:
    """Neither header nor body can be changed, nor a second From, Subject or Reply-To be added."""
    content = composed(SIGNING).content

    changed = content.replace(old, new, 1)

    assert changed != content
    assert verified(changed, KEYS) == [False, False]


def test_what_servers_change_on_the_way_is_no_change() -> None:
    """Other folds and spaces, empty lines at the end, Received in front: relaxed."""
    content = composed(SIGNING, **EVERYTHING).content

    changed = content.replace(b"MIME-Version: 1.0", b"mime-version:\r\n\t 1.0 ", 1)
    changed = b"Received: from a by b\r\n" + changed.replace(b"\r\n\r\n", b" \r\n\r\n", 1)

    assert verified(changed + b"\r\n\r\n", KEYS) == [True, True]


@pytest.mark.parametrize(
    ("sender", "selectors"),
    [
        ("a@example.com", ["mail", "ed"]),
        ("Shop <a@EXAMPLE.com>", ["mail", "ed"]),
        ("a@shop.example.com", ["mail", "ed"]),
        ("a@news.example.com", ["news"]),
        ("a@deep.news.example.com", ["news"]),
        ("a@badexample.com", []),
        ("a@example.com.evil.example", []),
        ("a@com", []),
        ("a@localhost", []),
    ],
)
def test_the_nearest_domain_signs(sender: str, selectors: list[str]) -> None:
    """From's own, else one above it, so that it is aligned (DMARC); without one nobody signs."""
    mail = composed(SIGNING, from_=sender)

    assert [each["s"] for each in signatures(mail)] == selectors
    assert verified(mail.content, KEYS) == [True] * len(selectors)


def test_international_domain() -> None:
    """It is named in ASCII."""
    key = DkimKey("xn--mller-kva.example", "mail", ED25519)
    signing = replace(DEFAULTS, signers=Signers([key]))

    mail = composed(signing, from_="a@müller.example")

    assert [each["d"] for each in signatures(mail)] == ["xn--mller-kva.example"]
    assert verified(mail.content, [key]) == [True]


def test_signed_headers() -> None:
    """All that a reader sees or acts on; what must be there once, also against a second one."""
    names = signed_names(composed(SIGNING, **EVERYTHING))

    for name in ("from", "to", "cc", "subject", "date", "message-id", "reply-to", "content-type"):
        assert names.count(name) == 2
    for name in ("list-unsubscribe", "list-unsubscribe-post", "list-id", "feedback-id"):
        assert names.count(name) == 1  # RFC 8058 section 4 for the first two
    assert not {"received", "return-path", "x-spaces", "dkim-signature"} & set(names)
    small = signed_names(composed(SIGNING))
    assert (small.count("reply-to"), small.count("content-transfer-encoding")) == (1, 1)


def test_signed_mails_are_ascii() -> None:
    """A server that cannot take 8bit would have to encode them, and break the signature."""
    mail = composed(SIGNING, **EVERYTHING)

    assert composed(**EVERYTHING).has_8bit
    assert mail.content.isascii()
    assert not mail.has_8bit
    assert mail.seven_bit is None


def test_international_addresses() -> None:
    """The form with SMTPUTF8 and the one without it are signed, each for itself."""
    mail = composed(SIGNING, to="jürgen@example.org", message=MESSAGE | {"text": "ü"})

    assert mail.smtputf8
    assert mail.seven_bit is not None
    assert verified(mail.content, KEYS) == [True, True]
    assert verified(mail.seven_bit(), KEYS) == [True, True]
    assert mail.seven_bit().isascii()
    assert mail.content.partition(b"\r\n\r\n")[2].isascii()


def test_parts_in_8bit_are_signed_as_they_are() -> None:
    """A part that is brought whole is not changed, and no other form is offered."""
    raw = {"raw": "Content-Type: text/plain; charset=utf-8\n\nü"}

    mail = composed(SIGNING, message=MESSAGE | {"attachments": [raw]})

    assert mail.has_8bit
    assert mail.seven_bit is None
    assert verified(mail.content, KEYS) == [True, True]


def test_lines_are_short() -> None:
    """At most 78 characters (RFC 5322 2.1.1), whatever the names."""
    key = DkimKey(f"{'long-' * 10}name.example.com", "selector-of-some-length", RSA)
    signing = replace(DEFAULTS, signers=Signers([key]))

    mail = composed(signing, from_=f"a@{key.domain}", **EVERYTHING)
    header = mail.content.partition(b"\r\nFrom:")[0].split(b"\r\n")

    assert max(map(len, header)) <= 78
    assert verified(mail.content, [key]) == [True]


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(alphabet=" \t\r\nab.ü=", max_size=60),
    subject=st.text(alphabet=" \tab:ü", max_size=60),
    value=st.text(alphabet=" \tab;", min_size=1, max_size=100),
    html=st.sampled_from(["", "<p> \t</p>\n \n", "y"]),
)
def test_any_spaces_and_line_ends(text: str, subject: str, value: str, html: str) -> None:
    """Our canonical form is dkimpy's."""
    message = {"subject": subject, "text": text or "\n", "html": html}

    mail = composed(SIGNING, message=message, headers={"Feedback-ID": value})

    assert verified(mail.content, KEYS[:2]) == [True, True]


def test_spaces_cost_in_proportion() -> None:
    """Twenty times the spaces never cost four hundred times the work."""

    def cost(length: int) -> float:
        whole = document(message=MESSAGE | {"text": f"{' ' * length}x\n\t" * 2})
        times = []
        for _ in range(3):
            start = time.process_time()
            compose(whole, replace(SIGNING, signers=Signers([SECOND])), now=NOW)
            times.append(time.process_time() - start)
        return min(times)

    assert cost(800_000) < 100 * cost(40_000)


def test_without_keys_nothing_changes() -> None:
    """Not a line is added, and 8bit stays."""
    assert b"DKIM" not in composed(**EVERYTHING).content

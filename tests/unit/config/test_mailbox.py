from __future__ import annotations

import pytest

from config import mailbox


@pytest.mark.parametrize(
    "text",
    [
        "a@example.com",
        "Example Shop <shop@example.com>",
        '"Example, Inc." <shop@example.com>',
        "dev@localhost",
        "<a@b.example>",
        "Müller <müller@exämple.com>",
        '"john doe"@example.com',
    ],
)
def test_good(text: str) -> None:
    """An address, or a name with the address in angle brackets."""
    mailbox.check(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Shop", "no @"),
        ("a@b@example.com", "is not a mail address"),
        ("a@", "a domain"),
        ("a b@example.com", "is not a mail address"),
        ("a@exa mple.com", "a domain"),
        ("a@example.com, b@example.com", "is not a mail"),
        ("Example, Inc. <shop@example.com>", "in quotes"),
        ("A <a@example.com>\r\nBcc: b@example.com", "one line"),
        ("A <a@example.com> <b@example.com>", "is not a mail|one mailbox"),
    ],
)
def test_bad(text: str, words: str) -> None:
    """Anything else is refused; nobody can smuggle a header in."""
    with pytest.raises(ValueError, match=words):
        mailbox.check(text)

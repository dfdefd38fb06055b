"""The mail that every contender sends. Imports nothing: peers' interpreters load it, too."""

from __future__ import annotations

from typing import Any


def mail(number: int) -> dict[str, Any]:
    """Make a mail of 2 KB: text and HTML."""
    text = f"Dear customer {number},\n\n" + "your order is on its way. Thank you! " * 18
    html = f"<p>Dear customer {number},</p>" + "<p>your order is on its way.</p>" * 40
    return {
        "to": f"customer{number}@example.com",
        "message": {"subject": f"Your order {number}", "text": text, "html": html},
    }

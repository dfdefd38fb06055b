"""CPU time to compose a mail, in microseconds, for a few shapes: `python -m bench.compose`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from config.dkim import DkimKey
from tasks.mail import Defaults, Signers, compose


#: An RSA key of 2048 bits, and one more; their domain is the one of From.
RSA = DkimKey("example.com", "rsa", generate_private_key(public_exponent=65537, key_size=2048))
ED25519 = DkimKey("example.com", "ed", Ed25519PrivateKey.generate())
SIGNING = {"": [], ", DKIM RSA": [RSA], ", DKIM Ed25519": [ED25519], ", DKIM both": [RSA, ED25519]}
#: The shapes that are also measured signed.
SIGNED = ("text + html, 2 KB", "text + html, 2 KB, a file of 100 KB")
DEFAULTS = Defaults(
    "Shop <shop@example.com>", "Help <help@example.com>", "app.mail", text_from_html=True
)
NOW = datetime(2024, 3, 5, 8, 30, tzinfo=UTC)
TEXT = "A line of plain text, as long as lines often are in a mail.\n" * 14
GERMAN = "Eine Zeile mit größeren Umlauten, wie sie täglich vorkömmt.\n" * 14
PARAGRAPHS = "<p>A paragraph of a page, with <b>bold</b> words.</p>\n" * 22
LONG_LINE = "<p>Eine Seite ohne Zeilenwechsel, größer als 998 Zeichen.</p>" * 22


FILE = {"filename": "a.pdf", "content": bytes(100_000)}
EVENT = "\r\n".join(("BEGIN:VCALENDAR", *["SUMMARY:A line of an event"] * 16, "END:VCALENDAR", ""))


def _message(**fields: Any) -> dict[str, Any]:
    return {"subject": "Your order 4711 is on its way", "text": TEXT, **fields}


SHAPES: dict[str, dict[str, Any]] = {
    "text, 0.8 KB": {"message": _message()},
    "text + html, 2 KB": {"message": _message(html=PARAGRAPHS)},
    "text + html, 2 KB, umlauts": {
        "to": "Jürgen Müller <jm@müller.example>",
        "message": _message(subject="Ihre Bestellung ist unterwegs: Größe 42", text=GERMAN),
    },
    "html in one line, quoted-printable": {"message": _message(html=LONG_LINE)},
    "100 recipients": {
        "to": [f"Person {number} <p{number}@example.org>" for number in range(100)],
        "message": _message(html=PARAGRAPHS),
    },
    "text + html, 2 KB, a file of 100 KB": {
        "message": _message(html=PARAGRAPHS, attachments=[FILE])
    },
    "text + html, 2 KB, an invitation": {"message": _message(html=PARAGRAPHS, icalEvent=EVENT)},
    "html, 1.2 KB, text made of it": {"message": {"subject": "Hello", "html": PARAGRAPHS}},
}


def microseconds(
    fields: dict[str, Any], keys: Sequence[DkimKey] = (), repeats: int = 5, number: int = 500
) -> float:
    """Give the CPU time of one mail: the best of `repeats` runs of `number` mails each."""
    document = {"_id": 1, "to": "Jo Doe <jo@example.org>"} | fields
    defaults = replace(DEFAULTS, signers=Signers(keys))
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time_ns()
        for _ in range(number):
            compose(document, defaults, now=NOW)
        best = min(best, (time.process_time_ns() - start) / number / 1000)
    return best


def main() -> None:
    for name, fields in SHAPES.items():
        for signed, keys in SIGNING.items() if name in SIGNED else [("", [])]:
            print(f"{name + signed:50} {microseconds(fields, keys):8.0f} µs")


if __name__ == "__main__":
    main()

"""Documents of which it is known what must become of them, each made from a valid mail.

Hostile by construction: every mutation certainly makes the mail invalid, by docs/document.md, and
says which field the error has to name. What is odd but may be sent is expected to arrive.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from bson import DatetimeMS

from tests.support.fuzz_fields import FIELDS, Path, dotted, put
from tests.support.fuzz_values import Pool


class End(Enum):
    """What must become of a document."""

    SENT = "sent"  #: SUCCESS, and its recipient has it exactly once
    ERROR = "error"  #: ERROR that names the fields, and nobody has it
    UNTOUCHED = "untouched"  #: a state of the users' own: as it was inserted
    REFUSED = "refused"  #: MongoDB does not take it, and says why


@dataclass(frozen=True)
class Case:
    """A document; `what`: the mutation, for the report; `named`: what its error has to hold."""

    document: Mapping[str, Any]
    end: End
    recipient: str
    what: str
    named: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """What a mutation makes of a valid mail; `id`: its own, as an element of BSON."""

    named: tuple[str, ...] = ()
    end: End = End.ERROR
    id: bytes | None = None


Mutation = Callable[[random.Random, Pool, dict[str, Any], int], Made]

_PAST = [datetime(2020, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), DatetimeMS(-(2**62))]
_INJECTIONS = ["\r\nBcc: evil@example.com", "\n.\r\nMAIL FROM:<evil@example.com>", "\r", "\n", "\0"]
_HEADER_LINES: list[Path] = [
    ("from",), ("replyTo",), ("to",), ("cc", 0), ("bcc",), ("idempotencyKey",),
    ("message", "subject"), ("message", "messageId"), ("headers", "X-Fuzz"),
    ("headers", "X-Fuzz", 0), ("list", "id"), ("list", "unsubscribe"), ("dsn", "id"),
    ("message", "attachments", 0, "filename"), ("message", "attachments", 0, "cid"),
    ("message", "attachments", 0, "contentType"), ("message", "attachments", 0, "encoding"),
    ("message", "attachments", 0, "headers", "X-Part"), ("message", "icalEvent", "filename"),
    ("message", "icalEvent", "method"), ("message", "alternatives", 0, "contentType"),
]  # fmt: skip
_HEADER_NAMES = [
    "X\r\nBcc", "X:", "X Y", "", "é", "x" * 71, "Bcc", "From", "To", "Subject", "Received",
    "Content-Type", "MIME-Version", "DKIM-Signature", "Return-Path", "Resent-To", "ARC-Seal",
]  # fmt: skip


def wrong_type(rng: random.Random, pool: Pool, document: dict[str, Any], _: int) -> Made:
    """One to three fields that are not inside each other, with values of another kind."""
    chosen: list[Path] = []
    for path in rng.sample(list(FIELDS), rng.choice([1, 1, 1, 2, 3])):
        if all(path[0] != other[0] for other in chosen):
            kinds = [kind for kind in pool if kind not in FIELDS[path]]
            put(document, path, rng.choice(pool[rng.choice(kinds)]))
            chosen.append(path)
    return Made(tuple(dotted(path) for path in chosen))


def injection(rng: random.Random, _: Pool, document: dict[str, Any], number: int) -> Made:
    """Line breaks and NUL where a header or a command is made of it."""
    path = rng.choice(_HEADER_LINES)
    hostile = rng.choice(_INJECTIONS)
    text = rng.choice([f"a{number}@example.com{hostile}", f"x{hostile}", f"{hostile}x", hostile])
    put(document, path, text)
    return Made((dotted(path),))


def header_name(rng: random.Random, _: Pool, document: dict[str, Any], __: int) -> Made:
    """Names that are none, and those that are not the document's to set."""
    where: Path = rng.choice([("headers",), ("message", "attachments", 0, "headers")])
    # A part may have other headers than the mail.
    names = _HEADER_NAMES if len(where) == 1 else _HEADER_NAMES[:6]
    put(document, (*where, rng.choice(names)), "x")
    return Made((dotted(where),))


def lacking(rng: random.Random, _: Pool, document: dict[str, Any], __: int) -> Made:
    """Something a mail cannot do without."""
    empty = rng.choice([..., None, "", " \t", ",;,"])
    name, where, nothing = rng.choice(
        [
            ("to", document, empty),
            ("message", document, rng.choice([..., None])),
            ("subject", document["message"], rng.choice([..., None])),
            ("text", document["message"], rng.choice([..., None, ""])),
        ]
    )
    del where[name]
    if nothing is not ...:
        where[name] = nothing
    return Made((f"message.{name}" if where is not document else name,))


_VALUES: list[tuple[Path, list[Any]]] = [
    (("to",), ["nobody", "@", "a@", "@b", "a@b@c", "<", '"', "(((", "a@-b-", "x" * 300 + "@b.c"]),
    (("to",), ["x" * 1_000_001, "a@b.example," * 90_000, [f"{n}@b.c" for n in range(10_001)]]),
    (("from",), ["nobody", "a@b@c", "<<>>", "x" * 1_000_001]),
    (("replyTo",), ["nobody", "a@", "a@b, nobody"]),
    (("deliverBefore",), _PAST),
    (("priority",), ["urgent", "", "HIGH", "high ", "\0"]),
    (("idempotencyKey",), ["", "x" * 256]),
    (("headers",), [{f"X-{n}": "x" for n in range(101)}, {"Date": "a", "date": "b"}]),
    (("headers", "X-Fuzz"), [["x"] * 21]),
    (("headers", "Date"), ["yesterday"]),
    (("headers", "Sender"), ["nobody", "a@b, c@d"]),
    (("list", "unsubscribe"), ["ftp://x", "javascript:alert(1)", "https://", "mailto:nobody"]),
    (("list", "id"), ["<", "one", "<a.b", "é.example"]),
    (("list", "oneClick"), [True]),
    (("dsn", "notify"), ["sometimes", ["never", "success"]]),
    (("dsn", "return"), ["all"]),
    (("dsn", "id"), ["x" * 101]),
    (("message", "messageId"), ["no id", "<a@b", "é@b", "x" * 1_000 + "@b"]),
    (("message", "attachments"), [[{"content": "x"}] * 501, [{}], [{"filename": "x"}]]),
    (("message", "attachments", 0, "encoding"), ["rot13", "x" * 100_000]),
    (("message", "attachments", 0, "contentType"), ["text", "a/b; c", "multipart/x", "x" * 201]),
    (("message", "attachments", 0, "contentDisposition"), ["form-data"]),
    (("message", "attachments", 0, "cid"), ["a b", "<>", "é", "x" * 201]),
    (("message", "attachments", 0, "filename"), ["x" * 256]),
    (("message", "attachments", 0, "headers"), [{f"X-{n}": "x" for n in range(21)}]),
    (("message", "alternatives"), [[{"contentType": "a/b", "content": "x"}] * 21]),
    (("template",), [{"name": "{{#each this}}" * 9}, {"name": "x", "data": {"a": "{{{{" * 9_000}}]),
    (("sendGrid",), [{"templateId": "d-1"}]),
]  # fmt: skip
_SOURCES = [
    {"path": "/etc/passwd"}, {"path": "../../../.env"}, {"href": "file:///etc/passwd"},
    {"href": "http://169.254.169.254/latest/meta-data"}, {"href": "https://127.0.0.1:6379/"},
    {"path": "data:text/plain"}, {"href": "data:;base64,@@"}, {"href": "gopher://x"},
    {"content": "@@@", "encoding": "base64"}, {"content": "é", "encoding": "base64"},
    {"content": "0", "encoding": "hex"}, {"content": "é", "encoding": "ascii"},
    {"content": "abcde", "encoding": "base64"}, {"gridfs": "66f0c0ffee66f0c0ffee66f0"},
]  # fmt: skip


def wrong_value(rng: random.Random, _: Pool, document: dict[str, Any], __: int) -> Made:
    """Of the right kind, and impossible."""
    path, values = rng.choice(_VALUES)
    put(document, path, rng.choice(values))
    return Made((dotted(path),))


def wrong_source(rng: random.Random, _: Pool, document: dict[str, Any], __: int) -> Made:
    """Attachments from files and URLs that nobody has allowed, and content in no encoding."""
    document["message"]["attachments"] = [{"content": "fine"}, dict(rng.choice(_SOURCES))]
    return Made(("message.attachments.1",))


def harmless(rng: random.Random, pool: Pool, document: dict[str, Any], __: int) -> Made:
    """Odd, and nobody's business: it has to arrive."""
    odd = rng.choice(pool[rng.choice(list(pool))])
    name = rng.choice(
        ["note", "$set", "a.b", "", "Delivery", "__proto__", "é", "$where", "x" * 900]
    )
    document[name] = odd
    message = document["message"]
    match rng.randrange(6):
        case 0:
            message["text"] = rng.choice(
                ["{{#each this}}{{this}}{{/each}}", "\0\r\n.\r\n\x1b[2J", "é" * 9_000]
            )
        case 1:
            message["subject"] = rng.choice(
                ["{{constructor}}", "=?utf-8?Q?=0D=0ABcc:?=", "x " * 2_000, "\u202e\u2028"]
            )
        case 2:
            message["attachments"] = [
                {"filename": "../../a\\b", "content": base64.b85encode(b"x" * 99).decode()}
            ]
        case 3:
            document["headers"] = {"$gt": "", "a.b": "x", "X-Fuzz": ["a", None, "é"]}
        case 4:
            message["html"] = "<script>" * 500 + "</script" * 500
        case _:
            document["cc"] = [None, "", " , "]
    return Made(end=End.SENT)  # fmt: skip

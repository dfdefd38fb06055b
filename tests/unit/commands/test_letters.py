"""Flags and files become the document that a service would insert."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from tasks.commands import letters
from tasks.commands.letters import Letter


def test_flags_alone() -> None:
    """Only what was given stands in it."""
    made = letters.document(
        None,
        Letter(
            to=["a@x.example"], sender="b@x.example", subject="S", text="T", priority="high",
            send_at="2026-03-01T12:00+01:00", template="welcome", data='{"name": "Ada"}',
        ),
    )  # fmt: skip

    assert made == {
        "to": ["a@x.example"],
        "from": "b@x.example",
        "priority": "high",
        "sendAt": dt.datetime(2026, 3, 1, 11, tzinfo=dt.UTC),
        "message": {"subject": "S", "text": "T"},
        "template": {"name": "welcome", "data": {"name": "Ada"}},
    }


def test_flags_over_a_file(tmp_path: Path) -> None:
    """Extended JSON; the message keeps what no flag replaces."""
    file = tmp_path / "mail.json"
    file.write_text(
        json.dumps(
            {
                "to": "a@x.example",
                "sendAt": {"$date": "2026-03-01T12:00:00Z"},
                "message": {"subject": "S", "html": "<p>"},
            }
        )
    )
    attached = tmp_path / "a.bin"
    attached.write_bytes(b"\0\1")

    made = letters.document(file, Letter(subject="Other", attach=[attached], cc=["c@x.example"]))

    assert made == {
        "to": "a@x.example",
        "cc": ["c@x.example"],
        "sendAt": dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC),
        "message": {
            "subject": "Other",
            "html": "<p>",
            "attachments": [{"filename": "a.bin", "content": b"\0\1"}],
        },
    }


@pytest.mark.parametrize(
    ("content", "flags", "said"),
    [
        (None, {}, "nothing to send"),
        ("[1]", {}, "one JSON map"),
        ("{", {}, "is not JSON"),
        ("[" * 100_000, {}, "is not JSON"),
        ('{"message": 1}', {"subject": "S"}, "message must be a map"),
        (None, {"text": "@"}, "--text: name a file"),
        (None, {"text": "@/nowhere"}, "/nowhere: cannot be read"),
        (None, {"attach": [Path("/nowhere")]}, "/nowhere: cannot be read"),
        (None, {"priority": "urgent"}, "high, normal, low"),
        (None, {"send_at": "soon"}, "2026-03-01T12:00"),
        (None, {"template": "t", "data": "{"}, "--data: is not JSON"),
        (b"\xff", {}, "is not UTF-8"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, content: str | bytes | None, flags: dict[str, Any], said: str
) -> None:
    """By the option or the file, before anything is inserted."""
    file = None
    if content is not None:
        file = tmp_path / "mail.json"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(ValueError, match=said):
        letters.document(file, Letter(**flags))

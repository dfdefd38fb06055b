"""A document from a file or from standard input."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from bson import DatetimeMS, Int64, ObjectId

from tasks.commands import given


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        (b"{", "is no JSON, or no Extended JSON: "),
        (b'{"sendAt": {"$date": "tomorrow"}}', "is no JSON, or no Extended JSON: "),
        (b'{"_id": {"$oid": "1"}}', "is no JSON, or no Extended JSON: "),
        (b"[" * 100_000, "is nested too deeply"),
        (b"[]", "must hold one JSON object"),
        (b'"\xff"', "is not UTF-8"),
    ],
)
def test_what_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    """Exit code 2, and one line that names the file and says why."""
    file = tmp_path / "mail.json"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(typer.Exit) as caught:
        given.from_file(str(file))

    assert caught.value.exit_code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{file}: {said}")
    assert error.count("\n") == 1


def test_extended_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the driver would give the same document."""
    text = """{
        "_id": {"$oid": "65e6f0f0f0f0f0f0f0f0f0f0"},
        "sendAt": {"$date": "2027-01-01T08:00:00Z"},
        "deliverBefore": {"$date": {"$numberLong": "9007199254740992"}},
        "content": {"$binary": {"base64": "/w==", "subType": "00"}},
        "uid": {"$numberLong": "5"}
    }"""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))

    document = given.from_file("-").document

    assert document == {
        "_id": ObjectId("65e6f0f0f0f0f0f0f0f0f0f0"),
        "sendAt": datetime(2027, 1, 1, 8, tzinfo=UTC),
        "deliverBefore": DatetimeMS(2**53),
        "content": b"\xff",
        "uid": Int64(5),
    }


@pytest.mark.parametrize(
    ("target", "is_file"),
    [("-", True), ("gone.json", True), ("4711", False), ("65e6f0f0f0f0f0f0f0f0f0f0", False)],
)
def test_what_is_a_file(target: str, is_file: bool) -> None:  # noqa: FBT001
    """An id is what can be no file."""
    assert given.is_file(target) is is_file

"""`python -m tasks lint`, as a person or a program runs it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bson import Int64
from pymongo.database import Database

from config.settings import Settings


ROOT = Path(__file__).parents[2]
WRONG: dict[str, Any] = {"to": "a@example.com", "message": {"subject": 5, "text": "\x1b[2J"}}
ODD: dict[str, Any] = {"to": "a@example.com", "message": {"subject": "x", "html": "x"}}


@pytest.fixture
def environment(settings: Settings, tmp_path: Path) -> dict[str, str]:
    """What the command finds in its environment."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "MONGODB_URI": settings.mongodb_uri.get_secret_value(),
        "MONGODB_DATABASE": settings.database,
        "CELERY_BROKER_URL": settings.celery_broker_url.get_secret_value(),
        "SMTP_CONNECTION_URI": "smtp://127.0.0.1:1",
        "DEFAULT_FROM": "Sender <sender@example.com>",
    }


def lint(
    environment: dict[str, str], *arguments: str, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tasks", "lint", *arguments],
        cwd=environment["HOME"],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_file(environment: dict[str, str], tmp_path: Path) -> None:
    """In a pipe one line for each finding; exit code 1 when it would not be sent."""
    file = tmp_path / "mail.json"
    file.write_text(json.dumps(WRONG))

    ended = lint(environment, "mail.json")

    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout == "error: message.subject must be a string, not a number\n"


def test_standard_input_and_extended_json(environment: dict[str, str]) -> None:
    """Dates and binary as mongoexport writes them; warnings leave the exit code 0."""
    dated = {**ODD, "sendAt": {"$date": "2027-01-01T08:00:00Z"}}

    ended = lint(environment, "-", "--json", given=json.dumps(dated))
    report = json.loads(ended.stdout)

    assert ended.returncode == 0
    assert report["problems"] == []
    assert [each["path"] for each in report["warnings"]] == ["message.text"]


def test_a_mail_of_the_collection(
    environment: dict[str, str], database: Database[dict[str, Any]]
) -> None:
    """By its ObjectId, its string or its number; the mail is left as it is."""
    mails = database["mail"]
    id = mails.insert_one({**WRONG}).inserted_id
    mails.insert_many([{"_id": "a", **WRONG}, {"_id": Int64(5), **WRONG}])
    before = list(mails.find())

    ended = [lint(environment, given) for given in (str(id), "a", "5")]

    assert [each.returncode for each in ended] == [1, 1, 1]
    assert list(mails.find()) == before


def test_what_cannot_be_found(environment: dict[str, str]) -> None:
    """Exit code 2, and one line that says why."""
    ended = lint(environment, "nobody")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("nobody: no such file, and no such _id in ")
    assert ended.stderr.count("\n") == 1


def test_without_settings(environment: dict[str, str]) -> None:
    """Whoever writes a service needs none for a file."""
    bare = {name: environment[name] for name in ("PATH", "HOME", "PYTHONPATH")}

    ended = lint(bare, "-", given=json.dumps({**ODD, "toUids": ["u1"]}))

    assert ended.returncode == 0
    assert ended.stderr == "no settings here: judged as if they allowed everything\n"


def test_a_person_sees_a_table(environment: dict[str, str], tmp_path: Path) -> None:
    """With the field and what is wrong with it; the document cannot steer the terminal."""
    file = tmp_path / "mail.json"
    file.write_text(json.dumps({"to": "\u202e\x1b[2Jx", "message": {"subject": "x", "text": "x"}}))
    leader, follower = pty.openpty()
    try:
        process = subprocess.run(
            [sys.executable, "-m", "tasks", "lint", "mail.json"],
            cwd=tmp_path,
            env={**environment, "TERM": "dumb", "COLUMNS": "200"},
            stdout=follower,
            timeout=30,
            check=False,
        )
        shown = os.read(leader, 65_536).decode()
    finally:
        os.close(leader)
        os.close(follower)

    assert process.returncode == 1
    assert "What is wrong" in shown
    assert "\u202e" not in shown
    assert "\x1b" not in shown

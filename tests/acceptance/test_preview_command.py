"""`python -m tasks preview`, as a person or a program runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from config.settings import Settings


ROOT = Path(__file__).parents[2]
MAIL: dict[str, Any] = {
    "to": ["Ada <ada@example.com>", "bad@@x"],
    "bcc": "hidden@example.com",
    "toUids": ["u1", "u2"],
    "message": {
        "subject": "Grüße \x1b[2J",
        "text": "Hello\x07",
        "html": "<script>alert(1)</script>",
        "attachments": [{"filename": "a.txt", "content": "x" * 2048}],
    },
}


@pytest.fixture
def environment(settings: Settings, tmp_path: Path) -> dict[str, str]:
    """What the command finds in its environment: settings, no browser."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "MONGODB_URI": settings.mongodb_uri.get_secret_value(),
        "MONGODB_DATABASE": settings.database,
        "CELERY_BROKER_URL": settings.celery_broker_url.get_secret_value(),
        "SMTP_CONNECTION_URI": "smtp://127.0.0.1:1",
        "DEFAULT_FROM": "Sender <sender@example.com>",
        "USERS_COLLECTION": "users",
    }


@pytest.fixture
def users(database: Database[dict[str, Any]]) -> None:
    """One of them."""
    database["users"].insert_one({"_id": "u1", "email": "user@example.com"})


def preview(
    environment: dict[str, str], *arguments: str, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tasks", "preview", *arguments],
        cwd=environment["HOME"],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.usefixtures("users")
def test_what_would_go_out(environment: dict[str, str], database: Database[dict[str, Any]]) -> None:
    """Envelope, header, text and parts; users are looked up, and the document stays as it is."""
    document = {**MAIL, "_id": "m1", "delivery": {"state": "DRAFT"}}
    database["mail"].insert_one(document)

    ended = preview(environment, "m1")

    assert (ended.returncode, ended.stderr) == (0, "")
    lines = [line.strip() for line in ended.stdout.splitlines()]
    assert lines[:8] == [
        "Envelope",
        "by: default",
        "from: sender@example.com",
        "to: ada@example.com",
        "to: user@example.com",
        "to: hidden@example.com",
        next(line for line in lines if line.startswith("not to: bad@@x (Invalid address: ")),
        'no address: user "u2"',
    ]
    assert "To: Ada <ada@example.com>, user@example.com" in lines
    assert "Subject: Grüße ·[2J" in lines
    assert "Hello·" in lines
    assert "a.txt  text/plain  2.0 KB" in lines
    assert "\x1b" not in ended.stdout
    assert not any(line.startswith("Bcc") for line in lines)
    assert database["mail"].find_one() == document


@pytest.mark.usefixtures("users")
def test_eml(environment: dict[str, str], tmp_path: Path) -> None:
    """The bytes as they would go out."""
    ended = preview(environment, "-", "--eml", "mail.eml", given=json.dumps(MAIL))

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    message = BytesParser(policy=default).parsebytes((tmp_path / "mail.eml").read_bytes())
    assert str(message["From"]) == "Sender <sender@example.com>"


def test_html_without_a_browser(environment: dict[str, str], tmp_path: Path) -> None:
    """The path of the page is printed; only this user can read it."""
    mail = {**MAIL, "toUids": None}

    ended = preview(environment, "-", "--html", given=json.dumps(mail))

    assert (ended.returncode, ended.stderr) == (0, "")
    page = Path(ended.stdout.strip())
    assert page.parent == tmp_path
    assert page.stat().st_mode & 0o777 == 0o600
    assert "<script" not in page.read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page.read_text(encoding="utf-8")


def test_html_in_a_browser(environment: dict[str, str], tmp_path: Path) -> None:
    """The browser is given the page, and nothing is printed."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)

    ended = preview(
        {**environment, "BROWSER": f"{browser} %s"},
        "-",
        "--html",
        given=json.dumps({**MAIL, "toUids": None}),
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert (tmp_path / "opened").read_text().startswith("file:///")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"to": 5}, "to must be a string or a list of strings, not a number\n"),
        ({"deliverBefore": {"$date": "2020-01-01T00:00:00Z"}}, "deliverBefore has passed: it was"),
    ],
)
def test_what_cannot_be_composed(
    environment: dict[str, str], change: dict[str, Any], said: str
) -> None:
    """Exit code 1, and why."""
    ended = preview(environment, "-", given=json.dumps({**MAIL, "toUids": None, **change}))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(said)


def test_no_html(environment: dict[str, str]) -> None:
    """There is nothing to open then, and that is said."""
    text = {"to": "a@example.com", "message": {"subject": "x", "text": "x"}}

    ended = preview(environment, "-", "--html", given=json.dumps(text))

    assert (ended.returncode, ended.stderr) == (1, "this mail has no HTML\n")


def test_a_mail_that_sendgrid_writes(environment: dict[str, str]) -> None:
    """What the API is told; there are no bytes to be written into a file."""
    given = json.dumps(
        {**MAIL, "toUids": None, "sendGrid": {"templateId": "d-1", "customArgs": {"order": "4711"}}}
    )
    with_key = {**environment, "SENDGRID_API_KEY": "SG.key"}

    shown = preview(with_key, "-", given=given)
    written = preview(with_key, "-", "--eml", "mail.eml", given=given)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "  by: sendgrid\n" in shown.stdout
    assert "  template_id: d-1\n" in shown.stdout
    assert "  a.txt  text/plain  2.0 KB\n" in shown.stdout
    assert (written.returncode, written.stdout) == (1, "")
    assert written.stderr.startswith("SendGrid writes this mail itself")

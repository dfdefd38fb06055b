"""docs/migrating-from-firebase.md: every command in it; Firestore answers as its REST API does."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from config.settings import Settings
from tests.support.web_server import WebServer, answer


ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/migrating-from-firebase.md"
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
PLACE = "projects/my-project/databases/(default)/documents"
ENV_FILE = """\
DEFAULT_FROM=Shop <shop@example.com>
MAIL_COLLECTION=mail
SMTP_CONNECTION_URI=smtp://127.0.0.1:25
TTL_EXPIRE_TYPE=never
"""


def stored(path: str, **fields: Any) -> dict[str, Any]:
    return {"name": f"{PLACE}/{path}", "fields": fields, "createTime": "2026-01-01T00:00:00Z"}


def text(value: str) -> dict[str, str]:
    return {"stringValue": value}


def mapped(**fields: Any) -> dict[str, Any]:
    return {"mapValue": {"fields": fields}}


def mail(id: str, state: str | None) -> dict[str, Any]:
    delivery = (
        {}
        if state is None
        else {"delivery": mapped(state=text(state), attempts={"integerValue": "1"})}
    )
    message = mapped(subject=text("Hello"), text=text("Hi"))
    return stored(f"mail/{id}", to=text("a@example.com"), message=message, **delivery)


MAILS = [
    mail(f"m{state}", state)
    for state in (None, "PENDING", "PROCESSING", "RETRY", "SUCCESS", "ERROR", "DRAFT")
]
TYPED = stored(
    "templates/welcome",
    name=text("welcome"),
    none={"nullValue": None},
    yes={"booleanValue": True},
    count={"integerValue": "9007199254740993"},
    rate={"doubleValue": 1.5},
    many={"doubleValue": "Infinity"},
    at={"timestampValue": "2026-01-02T03:04:05.123456789Z"},
    data={"bytesValue": base64.b64encode(b"\xff").decode()},
    author={"referenceValue": f"{PLACE}/users/u1"},
    place={"geoPointValue": {"latitude": 52.5}},
    empty={"arrayValue": {}},
    list={"arrayValue": {"values": [text("a"), mapped(b=text("c"))]}},
    nothing=mapped(),
)
USER = stored("users/u1", email=text("ada@example.com"))


def page(*documents: dict[str, Any], following: str | None = None) -> bytes:
    whole: dict[str, Any] = {"documents": list(documents)}
    if following:
        whole["nextPageToken"] = following
    return answer(json.dumps(whole).encode(), content_type="application/json")


@pytest.fixture
def firestore() -> Iterator[WebServer]:
    """Mails on two pages, a template and a user."""
    base = f"/v1/{PLACE}"
    answers = {
        f"{base}/mail?pageSize=300": page(*MAILS[:3], following="next=1"),
        f"{base}/mail?pageSize=300&pageToken=next%3D1": page(*MAILS[3:]),
        f"{base}/templates?pageSize=300": page(TYPED),
        f"{base}/users?pageSize=300": page(USER),
    }
    with WebServer(answers) as server:
        yield server


@pytest.fixture
def run(settings: Settings, firestore: WebServer, tmp_path: Path) -> Any:
    """Run a line in a folder like the project's, with its virtual environment."""
    for name in ("config", "tasks", "examples"):
        tmp_path.joinpath(name).symlink_to(ROOT / name)
    tmp_path.joinpath("extensions").mkdir()
    tmp_path.joinpath("extensions/firestore-send-email.env").write_text(ENV_FILE)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MONGODB_URI": settings.mongodb_uri.get_secret_value(),
        "MONGODB_DATABASE": settings.database,
        "FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{firestore.port}",
        "FIRESTORE_TOKEN": "token",
    }

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", line],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


def test_every_command(
    run: Any, firestore: WebServer, database: Database[dict[str, Any]], tmp_path: Path
) -> None:
    """In the order of the page, each ends well; then everything is there, once."""
    tmp_path.joinpath("mail.json").write_text(
        '{"to": "a@example.com", "message": {"subject": "x", "text": "x"}}'
    )
    assert len(COMMANDS) > 10
    states: dict[str, str | None] = {}
    for line in COMMANDS:
        if shlex.split(line)[-1] == "release":
            states = {each["_id"]: each["delivery"]["state"] for each in database["mail"].find()}
        ended = run(line)
        assert ended.returncode == 0, (line, ended.stderr)

    assert states == {
        "mNone": "FROM_FIRESTORE",
        "mPENDING": "FROM_FIRESTORE",
        "mPROCESSING": "ERROR",
        "mRETRY": "FROM_FIRESTORE",
        "mSUCCESS": "SUCCESS",
        "mERROR": "ERROR",
        "mDRAFT": "DRAFT",
    }
    waiting = database["mail"].find({"delivery": {"$exists": False}})
    assert {each["_id"] for each in waiting} == {"mNone", "mPENDING", "mRETRY"}
    assert (database["mail"].find_one("mPROCESSING") or {})["delivery"]["inDoubt"] is True
    assert database["users"].find_one() == {"_id": "u1", "email": "ada@example.com"}
    assert all("Authorization: Bearer token\r\n" in each for each in firestore.requests)


def test_values_keep_their_meaning(run: Any, database: Database[dict[str, Any]]) -> None:
    """Every type of Firestore's, by the type that MongoDB has for it; twice copies once."""
    run("python examples/firestore.py export my-project templates > t.json")

    first, again = (run("python examples/firestore.py copy t.json templates") for _ in range(2))

    assert first.stdout == "templates: 1 copied, 0 were there, 0 refused\n"
    assert again.stdout == "templates: 0 copied, 1 were there, 0 refused\n"
    assert list(database["templates"].find()) == [
        {
            "_id": "welcome",
            "name": "welcome",
            "none": None,
            "yes": True,
            "count": 9007199254740993,
            "rate": 1.5,
            "many": float("inf"),
            "at": datetime(2026, 1, 2, 3, 4, 5, 123000, tzinfo=UTC),
            "data": b"\xff",
            "author": "u1",
            "place": {"latitude": 52.5, "longitude": 0.0},
            "empty": [],
            "list": ["a", {"b": "c"}],
            "nothing": {},
        }
    ]


def test_pages_of_the_rest_api(run: Any, tmp_path: Path) -> None:
    """A file that somebody fetched with curl will do, too."""
    tmp_path.joinpath("page.json").write_text(json.dumps({"documents": MAILS}, indent=2))

    ended = run("python examples/firestore.py copy-mails page.json")

    assert ended.stdout == "mail: 7 copied, 0 were there, 0 refused\n"


def test_a_refused_document_is_named(run: Any, tmp_path: Path) -> None:
    """With the validator on, what it refuses is said, and the exit code is 1."""
    run("python -m config import-firebase extensions/firestore-send-email.env > .env")
    assert run("python -m tasks setup --validator error").returncode == 0
    bad = stored("mail/bad", to={"integerValue": "5"})

    tmp_path.joinpath("bad.json").write_text(json.dumps(bad))

    ended = run("python examples/firestore.py copy-mails bad.json")

    assert (ended.returncode, ended.stdout) == (1, "mail: 0 copied, 0 were there, 1 refused\n")
    assert ended.stderr.startswith("bad Document failed validation")


def test_firestore_refuses(run: Any) -> None:
    """One line, no traceback."""
    ended = run("python examples/firestore.py export my-project nothing")

    assert (ended.returncode, ended.stderr) == (1, "Firestore: HTTP Error 404: Not Found\n")

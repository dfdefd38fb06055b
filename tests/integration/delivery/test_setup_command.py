"""`python -m tasks setup`: the Procfile's release line."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database

from config.settings import Settings
from tests.support.application import Application


def test_it_makes_the_indexes_and_names_them(application: Application) -> None:
    """Twice is harmless."""
    for _ in range(2):
        done = run(application.environment)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (
            f"{application.mails.full_name}: indexes"
            " mailtrigger_waiting, mailtrigger_due, mailtrigger_expire,"
            " mailtrigger_timeline, mailtrigger_aside, mailtrigger_ended\n"
        )

    assert set(application.mails.index_information()) == {
        "_id_",
        "mailtrigger_waiting",
        "mailtrigger_due",
        "mailtrigger_expire",
        "mailtrigger_timeline",
        "mailtrigger_aside",
        "mailtrigger_ended",
    }


def test_an_index_in_the_way_is_said(
    application: Application, mails: Collection[dict[str, Any]]
) -> None:
    """Exit code 1 and one line, no traceback."""
    mails.drop_indexes()
    mails.create_index("to", name="mailtrigger_waiting")

    done = run(application.environment)

    assert done.returncode == 1
    assert done.stderr.startswith("setup: MongoDB refused: ")
    assert "mailtrigger_waiting" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_collection_is_the_settings(
    application: Application, settings: Settings, database: Database[dict[str, Any]]
) -> None:
    """MAIL_COLLECTION."""
    environment = {**application.environment, "MAIL_COLLECTION": "letters"}

    assert run(environment).returncode == 0

    assert "mailtrigger_waiting" in database["letters"].index_information()
    assert settings.mail_collection not in database.list_collection_names()


def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tasks", "setup"]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=30
    )

"""Which servers the user has of his own: those come before the embedded ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from config import env_file, settings


#: The settings that name a server.
SERVERS = ("MONGODB_URI", "CELERY_BROKER_URL", "SMTP_CONNECTION_URI")

_DEFAULT_FROM = "Mailtrigger <mailtrigger@example.com>"

_published: dict[str, str] = {}


def given() -> dict[str, str]:
    """Read the variables that have a value; the environment comes before `.env`."""
    stored = dotenv_values(env_file.NAME) if Path(env_file.NAME).is_file() else {}
    both = {**stored, **os.environ}
    # As pydantic-settings reads them: in any case, an empty one is none.
    return {name.upper(): value for name, value in both.items() if value}


def has_smtp_server(given: Mapping[str, str]) -> bool:
    """Tell whether mails go to a server of the user's own."""
    return "SMTP_CONNECTION_URI" in given or given.get("AUTH_TYPE") == "OAuth2"


def publish(variables: Mapping[str, str]) -> None:
    """Set variables for this process and all that it starts."""
    os.environ.update(variables)
    _published.update(variables)
    settings.load.cache_clear()


def published() -> dict[str, str]:
    """Give the settings that another terminal lacks: servers, sender, collection of templates."""
    names = (*SERVERS, "DEFAULT_FROM", "TEMPLATES_COLLECTION")
    return {name: _published[name] for name in names if name in _published}


def prepare() -> None:
    """Complete the environment: a sender, and the interpreter that runs us as `python`."""
    values = given()
    defaults = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    if "TEMPLATES_COLLECTION" not in values:
        defaults["TEMPLATES_COLLECTION"] = "templates"
    if "DEFAULT_FROM" not in values:
        defaults["DEFAULT_FROM"] = _DEFAULT_FROM
    publish(defaults)

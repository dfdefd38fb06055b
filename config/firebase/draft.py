"""What a translation collects: lines for our environment file, and remarks for a person."""

from __future__ import annotations

import re
from collections.abc import Callable


#: A secret of Google's Secret Manager; a project may stand there as "${param:PROJECT_NUMBER}".
_SECRET = re.compile(
    r"projects/(?P<project>[^/]+)/secrets/(?P<name>[\w-]+)(/versions/(?P<version>\w+))?"
)
_PLAIN = re.compile(r"[\w@:/.,+%=?&-]*")


class Draft:
    """`lines` make an environment file; `remarks` begin with the parameter they are about."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.remarks: list[str] = []

    def remark(self, parameter: str, text: str) -> None:
        """Say what differs, or what is left to do."""
        self.remarks.append(f"{parameter}: {text}")

    def comment(self, text: str) -> None:
        """Add a line for whoever reads the file."""
        self.lines.append(f"# {text}")

    def set(self, variable: str, value: str) -> None:
        """Give a variable its value; a secret that stands elsewhere stays empty."""
        secret = _SECRET.fullmatch(value)
        if secret:
            self._fetch(variable, secret)
        elif "${" in value:
            # python-dotenv takes it for a variable, whatever the quotes.
            self.comment(f"{variable} has to be set in the environment: it holds ${{")
            self.remark(variable, "has ${ in it, which no .env can hold: set it in the environment")
        else:
            self.lines.append(f"{variable}={quoted(value)}")

    def set_checked(self, variable: str, value: str, check: Callable[[str], object]) -> None:
        """Do so if it is right for us; else leave it to be corrected."""
        try:
            check(value)
        except ValueError as error:
            self.lines.append(f"#{variable}={quoted(value)}")
            self.remark(variable, f"{error}: correct it")
        else:
            self.set(variable, value)

    def _fetch(self, variable: str, secret: re.Match[str]) -> None:
        project = "" if "$" in secret["project"] else f" --project={secret['project']}"
        version = secret["version"] or "latest"
        self.comment(f"gcloud secrets versions access {version} --secret={secret['name']}{project}")
        self.lines.append(f"{variable}=")
        self.remark(variable, "is in Google's Secret Manager: the file says how to get it")


def quoted(value: str) -> str:
    """Write a value as `.env` takes it."""
    if _PLAIN.fullmatch(value):
        return value
    if "\n" in value or "\r" in value:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'.replace("\r", "\\r")
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"

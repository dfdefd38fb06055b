"""The commands of README.md and docs/: where they stand, and how each is held.

A line of a ```sh block is run here (`RUN`), by another test (`ELSEWHERE`), or not at all, for a
reason (`NOT_RUN`); it is a target of the Makefile, a setting, or a benchmark. Anything else is
unknown, and fails.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


ROOT = Path(__file__).parents[2]
PAGES = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md"),
    *sorted(f"docs/{path.name}" for path in ROOT.joinpath("docs").glob("*.md")),
)
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:python -m|make) [^`\n]+)`")
_COMMENT = re.compile(r"(^|\s+)#\s.*$")
_ASSIGNMENT = re.compile(r"([A-Z][A-Z_]*)=(?:'[^']*'|\S*)(?:\s+|$)")

#: Beginnings of commands that are run as they stand, with real servers.
RUN = (
    *("python -m tasks ", "python -m config", "python examples/clients/"),
    *("openssl ", "echo ", "mkdir ", "chmod ", "cp "),
)
#: Exit codes other than 0.
CODES = {
    """python -m tasks send --to ada@example.com --template shipped --data '{"name": "Ada", """
    """"order": 4711}'""": 1,
}
_CLIENTS = "tests/acceptance/test_clients.py::test_a_mail_and_the_same_again"
_MIGRATING = "tests/acceptance/test_migrating_from_firebase.py::test_every_command"
#: Beginnings of commands that a test of their own runs.
ELSEWHERE = {
    "make run": "tests/acceptance/test_local_stack.py::test_stays_until_ctrl_c",
    "python examples/clients/": _CLIENTS,
    "node examples/clients/": _CLIENTS,
    "go run examples/clients/": _CLIENTS,
    "java -cp ": _CLIENTS,
    "mongosh ": _CLIENTS,
    "python examples/firestore.py": _MIGRATING,
    "python -m config import-firebase": _MIGRATING,
    "python -m config --offline": _MIGRATING,
    "python -m tasks lint mail.json": _MIGRATING,
    "python -m tasks preview mail.json": _MIGRATING,
    "python -m console": "tests/integration/console/test_live.py::test_a_stop_lets_the_browsers_go",
}
#: Beginnings of commands that no test runs, and why.
NOT_RUN = {
    "sudo ": "needs root",
    "docker compose ": "needs Docker; tests/unit/test_compose.py holds the file",
    "dig ": "asks a domain that is the reader's",
    "redis-cli ": "there is none beside the embedded server",
    "pip install -r ": "installs; `make install` brings the same file",
    ". .venv/bin/activate": "the tests run in their environment already",
}


class Way(Enum):
    """How a command is held."""

    RUN = "run here"
    ELSEWHERE = "run by another test"
    NOT_RUN = "not run, for a reason"
    MAKE = "a target of the Makefile"
    SETTING = "a setting"
    OPTIONS = "its options are looked up"
    UNKNOWN = "nobody looks after it"


@dataclass(frozen=True)
class Command:
    """One line: `words` without comment and assignments before it."""

    page: str
    line: str
    words: str
    variables: tuple[str, ...] = ()

    @property
    def way(self) -> Way:
        """Say how it is held."""
        if not self.words:
            return Way.SETTING
        if self.words.startswith("make ") and not _begins(self.words, ELSEWHERE):
            return Way.MAKE
        if self.words.startswith("python -m bench"):
            return Way.OPTIONS
        for beginnings, way in (
            (ELSEWHERE, Way.ELSEWHERE),
            (NOT_RUN, Way.NOT_RUN),
            (RUN, Way.RUN),
        ):
            if _begins(self.words, beginnings):
                return way
        return Way.UNKNOWN


def in_blocks() -> Iterator[Command]:
    """Give each line of each ```sh block, in the order of the pages."""
    for page in PAGES:
        for _, language, block in _FENCE.findall(_text(page)):
            if language != "sh":
                continue
            for line in textwrap.dedent(block).replace("\\\n", "").splitlines():
                if _COMMENT.sub("", line):
                    yield _command(page, line)


def in_sentences() -> Iterator[Command]:
    """Give what stands between backticks and begins with `python -m` or `make`."""
    for page in PAGES:
        for line in _INLINE.findall(_FENCE.sub("", _text(page))):
            yield _command(page, line)


def _text(page: str) -> str:
    return ROOT.joinpath(page).read_text(encoding="utf-8")


def _command(page: str, line: str) -> Command:
    words, variables = _COMMENT.sub("", line).strip(), []
    while found := _ASSIGNMENT.match(words):
        variables.append(found[1])
        words = words[found.end() :]
    return Command(page, line, words, tuple(variables))


def _begins(words: str, beginnings: tuple[str, ...] | dict[str, str]) -> bool:
    return any(words.startswith(each) for each in beginnings)

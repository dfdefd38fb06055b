"""The programs of examples/clients: what each needs, and how it is run.

Those in Python run with every `make test`. The others fetch a driver from a registry, so they have
a command of their own, `make clients`. A toolchain that is not there is not a server of ours that
fails to come up: it is named in the head of the run (`report`), and its program is not collected.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


FOLDER = Path(__file__).parents[2] / "examples/clients"
#: Which programs are run: `all`, or names with commas between.
VARIABLE = "CLIENTS"

_NODE_DRIVER = "mongodb@7.9.0"
_GO_DRIVER = "go.mongodb.org/mongo-driver/v2/mongo@v2.8.0"
_POM = """\
<project><modelVersion>4.0.0</modelVersion>
<groupId>clients</groupId><artifactId>clients</artifactId><version>1</version>
<dependencies><dependency><groupId>org.mongodb</groupId><artifactId>mongodb-driver-sync</artifactId>
<version>5.5.1</version></dependency></dependencies></project>
"""
_FETCH_SECONDS = 300


@dataclass(frozen=True)
class Client:
    """One program. `prepare` brings its driver into a folder, `command` runs it from there."""

    name: str
    file: str
    needs: tuple[str, ...]
    prepare: Callable[[Path], None]
    command: Callable[[Path, str], list[str]]
    #: mongosh takes no arguments.
    variables: Callable[[str], Mapping[str, str]] = lambda _: {}

    @property
    def missing(self) -> list[str]:
        """Name the programs that are not on PATH."""
        return [each for each in self.needs if shutil.which(each) is None]


def _nothing(_: Path) -> None:
    """Its driver is there."""


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def _node(folder: Path) -> None:
    folder.joinpath("package.json").write_text("{}")
    _run(folder, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", _NODE_DRIVER)
    shutil.copy(FOLDER / "insert.mjs", folder)


def _go(folder: Path) -> None:
    shutil.copy(FOLDER / "insert.go", folder)
    _run(folder, "go", "mod", "init", "clients")
    _run(folder, "go", "get", _GO_DRIVER)
    _run(folder, "go", "build", "-o", "insert", "insert.go")


def _java(folder: Path) -> None:
    folder.joinpath("pom.xml").write_text(_POM)
    _run(folder, "mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib")


CLIENTS = (
    Client("python", "insert.py", (), _nothing,
           lambda _, order: [sys.executable, str(FOLDER / "insert.py"), order]),
    Client("python", "insert_async.py", (), _nothing,
           lambda _, order: [sys.executable, str(FOLDER / "insert_async.py"), order]),
    Client("node", "insert.mjs", ("node", "npm"), _node,
           lambda _, order: ["node", "insert.mjs", order]),
    Client("go", "insert.go", ("go",), _go,
           lambda folder, order: [str(folder / "insert"), order]),
    Client("java", "Insert.java", ("java", "mvn"), _java,
           lambda _, order: ["java", "-cp", "lib/*", str(FOLDER / "Insert.java"), order]),
    Client("mongosh", "insert.mongosh.js", ("mongosh",), _nothing,
           lambda _, __: ["sh", "-c", 'exec mongosh --quiet "$MONGODB_URI" "$0"',
                          str(FOLDER / "insert.mongosh.js")],
           lambda order: {"ORDER": order}),
)  # fmt: skip


def wanted() -> tuple[str, ...]:
    """Name the languages that this run is for; without `CLIENTS` those that fetch nothing."""
    known = tuple(dict.fromkeys(each.name for each in CLIENTS))
    value = os.environ.get(VARIABLE) or "python"
    names = known if value == "all" else tuple(value.split(","))
    assert set(names) <= set(known), f"{VARIABLE}: {value} is none of {', '.join(known)}"
    return names


def chosen() -> list[Client]:
    """Give the programs of this run whose toolchain is there."""
    return [each for each in CLIENTS if each.name in wanted() and not each.missing]


def report() -> str:
    """Say what is run, and why the others are not."""
    left_out = [f"{each.file} ({_why_not(each)})" for each in CLIENTS if each not in chosen()]
    run = ", ".join(each.file for each in chosen())
    return f"examples/clients: {run}; not run: {', '.join(left_out) or 'none'}"


def _why_not(client: Client) -> str:
    return f"no {' '.join(client.missing)} on PATH" if client.missing else "`make clients` does"

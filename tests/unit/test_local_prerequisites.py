"""What a bare machine lacks, in one line with the command that brings it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local import broker, mongo, prerequisites


@pytest.mark.parametrize(
    ("libraries", "expected"),
    [
        (["libcurl.so.4"], "MongoDB needs libcurl.so.4: sudo apt-get install -y libcurl4"),
        (
            ["libcrypto.so.3", "libcurl.so.4", "libssl.so.3"],
            (
                "MongoDB needs libcrypto.so.3, libcurl.so.4, libssl.so.3:"
                " sudo apt-get install -y libcurl4 libssl3"
            ),
        ),
    ],
)
def test_missing_library(libraries: list[str], expected: str) -> None:
    """A missing library is named with the command that installs it, each package once."""
    assert prerequisites.explain(libraries) == expected


def test_unknown_library() -> None:
    """A library of no known package is named, with the way around it."""
    assert "libfoo.so.1" in prerequisites.explain(["libfoo.so.1"])
    assert "MONGODB_URI" in prerequisites.explain(["libfoo.so.1"])


def test_own_servers_need_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names servers of his own needs none here."""
    monkeypatch.setattr(mongo, "find_program", lambda: None)
    monkeypatch.setattr(broker, "find_program", lambda: None)

    assert prerequisites.problems({"MONGODB_URI": "x", "CELERY_BROKER_URL": "y"}) == []


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("Darwin", "arm64", ["brew install mongodb-community", "brew install redis"]),
        ("Linux", "aarch64", ["no wheel of it for this processor", "requirements-local.txt"]),
        ("Linux", "x86_64", ["requirements-local.txt", "requirements-local.txt"]),
    ],
)
def test_no_server_at_all(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, expected: list[str]
) -> None:
    """On each kind of machine, both servers are named with what to do, or what to set instead."""
    monkeypatch.setattr(mongo, "find_program", lambda: None)
    monkeypatch.setattr(broker, "find_program", lambda: None)
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)

    found = prerequisites.problems({})

    assert [part in line for part, line in zip(expected, found, strict=True)] == [True, True]
    assert "MONGODB_URI" in found[0]
    assert "CELERY_BROKER_URL" in found[1]


def test_server_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mongod or redis-server of the machine is taken before the one of a wheel."""
    for name in ("mongod", "redis-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), "/usr/bin"]))

    assert mongo.find_program() == tmp_path / "mongod"
    assert broker.find_program() == tmp_path / "redis-server"


def test_server_that_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot run here is named with its own reason."""
    for name in ("mongod", "redis-server"):
        (tmp_path / name).write_text("#!/bin/sh\necho wrong processor >&2; exit 3\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), "/usr/bin"]))

    found = prerequisites.problems({})

    assert [
        f"{tmp_path}/{name} does not run here: wrong processor" in line
        for name, line in zip(("mongod", "redis-server"), found, strict=True)
    ] == [True, True]

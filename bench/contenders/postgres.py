"""A PostgreSQL of Debian's, with its settings as they are: fsync, synchronous commits."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.contenders.base import NotRun
from bench.stack import Stack
from local import ports
from local.processes import Server


#: It refuses to run as root.
_USER = "nobody"


def find() -> Path:
    """Find the directory of its programs, the newest version's; raises NotRun."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    if not found:
        raise NotRun("no PostgreSQL: sudo apt-get install postgresql (it need not run)")
    return found[-1].parent


def start(running: Stack) -> int:
    """Start it as the stack's server `postgres`; return its port."""
    programs, port = find(), ports.free()
    directory = Path(tempfile.mkdtemp(prefix="mailtrigger-bench-postgres-"))
    running.exits.callback(shutil.rmtree, directory, ignore_errors=True)
    if os.geteuid() == 0:
        os.chown(directory, pwd.getpwnam(_USER).pw_uid, -1)
    data = directory / "data"
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust"]
    subprocess.run(_as_user(initdb), check=True, capture_output=True, cwd=directory)
    options = ["-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(directory)]
    server = Server(
        name="postgres",
        command=_as_user([str(programs / "postgres"), *options]),
        log=running.directory / "postgres.log",
        ready=lambda _pid: _answers(programs, port),
        directory=directory,
    )
    running.add("postgres", server)
    return port


def _answers(programs: Path, port: int) -> bool:
    probe = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(probe, check=False).returncode == 0


def _as_user(command: list[str]) -> list[str]:
    if os.geteuid() != 0:
        return command
    # A change of user takes away the tie to our process; --pdeathsig gives it back.
    user = ["--reuid", _USER, "--regid", "nogroup", "--clear-groups"]
    return ["setpriv", *user, "--pdeathsig", "KILL", "--", *command]

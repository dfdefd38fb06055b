"""The Django contenders: bench/peers/django_app, in an environment of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import ClassVar

from bench.contenders import postgres
from bench.contenders.base import Books, Contender, Guarantees
from bench.peers import install
from bench.stack import ROOT
from local import tether


_PACKAGE = "bench.peers.django_app"


class DjangoContender(Contender):
    """The application is a process that hands over mails when told, and reads the store."""

    app: ClassVar[str]
    with_celery: ClassVar[bool]
    with_database: ClassVar[bool] = True

    @classmethod
    def install(cls) -> None:
        install.python()
        if cls.with_database:
            postgres.find()

    def prepare(self) -> None:
        self.running.stop("mongod")  # not theirs
        self._python = str(install.python())
        # post_office's lock file lies in the temporary directory.
        variables = {"BENCH_APP": self.app, "TMPDIR": str(self.running.directory)}
        if self.with_celery:
            variables["BENCH_CELERY"] = "yes"
        if self.with_database:
            variables["BENCH_POSTGRES"] = str(postgres.start(self.running))
        self.running.environment.update(variables)
        if self.with_database:
            self._migrate()
        self._shop = self._start_shop()

    def insert(self, numbers: Sequence[int]) -> float:
        return float(self._ask(f"insert {numbers[0]} {len(numbers)}"))

    def books(self) -> Books:
        sent, failed = self._ask("books").split()
        return Books(sent=int(sent), failed=int(failed))

    def failures(self) -> set[str]:
        return set(self._ask("failures").split())

    def start(self, *, slow: bool) -> None:
        self.start_workers(slow=slow)

    def workers(self) -> list[str]:
        return ["worker"]

    def _start(self, command: list[str], *, threads: int) -> None:
        full = [self._python, "-m", *command]
        self.running.start("worker", full, "ready.", BENCH_THREADS=str(threads))

    def _start_celery(self, *options: str, threads: int = 10) -> None:
        command = ["celery", "-A", f"{_PACKAGE}.celery_app", "worker", *options]
        self._start([*command, "--without-gossip", "--without-mingle"], threads=threads)

    def _migrate(self) -> None:
        settings = ["--settings", f"{_PACKAGE}.settings"]
        subprocess.run(
            [self._python, "-m", "django", "migrate", "--verbosity", "0", *settings],
            check=True,
            cwd=ROOT,
            env=self.running.environment,
        )

    def _start_shop(self) -> subprocess.Popen[str]:
        shop = subprocess.Popen(
            tether.command([self._python, "-m", f"{_PACKAGE}.producer"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=self.running.environment,
        )
        self.running.exits.callback(_end, shop)
        assert shop.stdout is not None
        assert shop.stdout.readline() == "ready.\n", "the Django application did not start"
        return shop

    def _ask(self, question: str) -> str:
        assert self._shop.stdin is not None
        assert self._shop.stdout is not None
        self._shop.stdin.write(f"{question}\n")
        self._shop.stdin.flush()
        answer = self._shop.stdout.readline()
        if not answer:
            raise RuntimeError("the Django application ended; its traceback is above")
        return answer


def _end(process: subprocess.Popen[str]) -> None:
    with process:
        process.kill()


class PostOffice(DjangoContender):
    """Its command with two processes of 10 threads, the whole backlog in one batch, no log rows."""

    name = "post-office"
    title = "django-post_office, command"
    app = "post_office"
    with_celery = False
    guarantees = Guarantees(
        lease="none: one lock for one machine",
        crash="sent again: all of the batch that was sent, twice",
        outcome="each mail, written once a batch",
    )

    def start_workers(self, *, slow: bool) -> None:
        self._start([f"{_PACKAGE}.drain"], threads=64 if slow else 10)


class PostOfficeCelery(DjangoContender):
    """Each handing over starts a task that drains the queue."""

    name = "post-office-celery"
    title = "django-post_office, Celery"
    app = "post_office"
    with_celery = True
    guarantees = Guarantees(
        lease="none: one lock for one machine",
        crash="waits until the application hands over another mail; then as above",
        outcome="each mail, written once a batch",
    )

    def start_workers(self, *, slow: bool) -> None:
        self._start_celery("-c", "2", threads=128 if slow else 10)


class CeleryEmail(DjangoContender):
    """Chunks of 10 mails in a task."""

    name = "celery-email"
    title = "django-celery-email"
    app = "djcelery_email"
    with_celery = True
    with_database = False
    guarantees = Guarantees(
        lease="none",
        crash="mails live in the broker only; those in hand come back after an hour or never",
        outcome="none: a count for each chunk, for a day",
    )

    def start_workers(self, *, slow: bool) -> None:
        self._start_celery(*(["-P", "threads", "-c", "128"] if slow else ["-c", "2"]))

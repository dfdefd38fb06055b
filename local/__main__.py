"""`python -m local`, which is `make run`: the whole stack on this machine, and mails through it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from config import logs, mongo, settings
from config.errors import EXIT_CODE, BadSettings
from config.hosts import is_loopback
from config.mongo import Document
from local import environment, guide, lock, prerequisites, showcase, states
from local.processes import StartError
from local.report import Report
from local.stack import Stack
from local.states import Track
from local.stopping import Stop


#: For --once: from the insert to the last SUCCESS, with Celery's start in between.
_ONCE_SECONDS = 60

#: Only so that the settings can be checked before the servers stand.
_PLACEHOLDERS = {
    "MONGODB_URI": "mongodb://127.0.0.1/?replicaSet=mailtrigger",
    "CELERY_BROKER_URL": "redis://127.0.0.1/0",
    "SMTP_CONNECTION_URI": "smtp://127.0.0.1:1025",
}


class Failed(Exception):
    """The stack cannot go on; the text says why."""


def main(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End when the example mails are delivered; 0 if all are.")
    ] = False,
    data: Annotated[Path, typer.Option(help="Keeps the data and logs here.")] = Path(".local"),
) -> None:
    """Start MongoDB, Redis, an SMTP inbox and the Procfile's processes; send the example mails."""
    report = Report()
    environment.prepare()
    given = environment.given()
    try:
        _check(given, once=once)
        with lock.hold(data):
            _run(Stack(data, given, report.say), given, report, once=once)
    except BadSettings as error:
        for line in error.problems:
            report.problem(line)
        raise typer.Exit(EXIT_CODE) from None
    except (Failed, StartError, TimeoutError, lock.InUseError) as error:
        report.problem(str(error))
        raise typer.Exit(1) from None
    except PyMongoError as error:
        report.problem(f"MongoDB: {logs.redact(str(error))}")
        raise typer.Exit(1) from None


def _check(given: dict[str, str], *, once: bool) -> None:
    """Find what is wrong before anything starts."""
    problems = prerequisites.problems(given)
    if problems:
        raise Failed("\n".join(problems))
    absent = {name: uri for name, uri in _PLACEHOLDERS.items() if name not in given}
    environment.publish(absent)
    smtp_server = settings.load().smtp_server
    if once and not is_loopback(smtp_server.host):
        raise Failed(
            "--once sends the examples, which are addressed to example.com, to a server on this"
            f" machine only; {smtp_server.variable} names another."
        )


def _run(stack: Stack, given: dict[str, str], report: Report, *, once: bool) -> None:
    stop = Stop(force=stack.kill)
    try:
        stack.start_servers()
        stack.release(stop.asked)
        if not stop.requested:
            stack.start_processes()
            stack.wait_until_at_work(stop.asked)
            own_mongodb = "MONGODB_URI" in given
            _use(stack, stop, report, own_mongodb=own_mongodb, once=once)
    finally:
        report.end_table()
        report.say("Stopping … (Ctrl-C again: at once)", "dim")
        stack.stop()


def _use(stack: Stack, stop: Stop, report: Report, *, own_mongodb: bool, once: bool) -> None:
    """Send the examples through the running stack, then follow what others insert."""
    chosen = settings.load()
    with mongo.connect(chosen, role="local") as client:
        mails = mongo.mail_collection(client, chosen)
        with states.watch(mails) as stream:
            follower = _Follower(stack, stop, report, stream)
            if is_loopback(chosen.smtp_server.host):
                report.say("\nSending the mails of examples/")
                if chosen.templates_collection is not None:
                    showcase.insert_templates(mails.database[chosen.templates_collection])
                examples = showcase.insert(mails)
                follower.expect(examples)
                report.begin_table(examples)
                follower.until_finished(examples, _ONCE_SECONDS if once else None)
                report.end_table()
                if once:
                    _judge(mails, examples, stack, report)
                    return
            else:
                report.say(
                    "\nThe examples stay here: they are not for somebody else's SMTP server."
                )
            if stop.requested:
                return
            report.say("\n" + guide.text(stack, chosen, own_mongodb=own_mongodb))
            report.say("\nEvery mail shows here as it goes. Ctrl-C stops everything.\n", "dim")
            follower.until_asked()


def _judge(
    mails: Collection[Document], examples: list[Track], stack: Stack, report: Report
) -> None:
    """Raise Failed unless every example is delivered, and in the inbox if that is ours."""
    problems = showcase.undelivered(examples)
    if not problems and stack.inbox_port is not None:
        problems = showcase.missing_in_inbox(mails, examples, stack.inbox_port)
    if problems:
        raise Failed("Not delivered:\n" + "\n".join(f"  {line}" for line in problems))
    report.say(f"{len(examples)} of {len(examples)} mails delivered.", "green")


class _Follower:
    """Shows every change of state."""

    def __init__(self, stack: Stack, stop: Stop, report: Report, stream: Any) -> None:
        self._tracks: dict[str, Track] = {}
        self._stack = stack
        self._stop = stop
        self._report = report
        self._stream = stream

    def expect(self, tracks: Iterable[Track]) -> None:
        """Know these mails by their names."""
        self._tracks |= {states.key(track.id): track for track in tracks}

    def until_finished(self, tracks: Sequence[Track], seconds: float | None) -> None:
        """Follow until these are finished, somebody stops us, or the time is over."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._stop.requested and not all(track.finished for track in tracks):
            self._next()
            if deadline is not None and time.monotonic() > deadline:
                break

    def until_asked(self) -> None:
        """Follow until somebody stops us."""
        while not self._stop.requested:
            self._next()

    def _next(self) -> None:
        failure = self._stack.failure()
        if failure is not None and not self._stop.requested:
            raise Failed(failure)
        event = self._stream.try_next()
        change = states.read(event) if event is not None else None
        if change is None:
            return
        track = self._tracks.setdefault(change.key, Track(change.key, change.name))
        track.add(change)
        self._report.changed(track, change)
        if track.finished:
            del self._tracks[change.key]


if __name__ == "__main__":
    typer.run(main)

"""The SMTP server fails at each stage of the conversation, in every way a server can."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest

from tasks.delivery.states import State
from tests.chaos.trial import Trial
from tests.support.application import eventually
from tests.support.sink import InTurn, Script


MAILS = 700
#: Mails that must have met the fault before the server is well again.
MET = 500
SETTINGS = {
    "SWEEP_SECONDS": "0.5",
    "WORKER_CONCURRENCY": "16",
    "SMTP_TIMEOUT_SECONDS": "0.5",
    "MAX_ATTEMPTS": "100",
    "RETRY_BASE_SECONDS": "0.2",
    "RETRY_MAX_SECONDS": "2",
    "CIRCUIT_SECONDS": "1",
}
#: A mail that hangs costs its thread a lease.
LEASE = 10.0
HANGING = {**SETTINGS, "LEASE_SECONDS": str(LEASE), "WORKER_CONCURRENCY": "48"}
IN_DOUBT = r"\(after it had the whole message: it may have sent it\)$"
#: The longest wait for the next attempt or probe, and the rounds that find the mails due.
RECOVERY = 10.0


@dataclass(frozen=True)
class Stage:
    """Where it fails, and what it says or does there, in turn; None: it works."""

    name: str
    answers: tuple[str | None, ...]


BROKEN = ("drop", "reset", "hang", "451 4.3.0 Try again")
CONNECTING = [
    Stage("connect", (*BROKEN, "421 4.3.2 Closing", "554 5.7.1 Not you")),
    Stage("ehlo", (*BROKEN, "421 4.3.2 Closing", "554 5.7.1 Not you")),
]
# 421 of another kind would make the domain pause: half a minute and more.
TRANSACTION = [
    Stage(name, (*BROKEN, "421 4.4.2 Timeout", None)) for name in ("mail", "rcpt", "data")
]


def _name(stage: Stage) -> str:
    return stage.name


@pytest.mark.parametrize("stage", CONNECTING, ids=_name)
def test_no_connection(trial: Trial, stage: Stage) -> None:
    """No connection is to be had in any way: every mail waits, and is sent once when it is."""
    answers = InTurn(*stage.answers)
    _begin(trial, Script().at(stage.name, answers))
    # More than open the circuit: probes meet it, too.
    eventually("every fault is met", lambda: answers.given.total() >= 9, 60)
    waiting = {"delivery.state": {"$in": [State.PENDING, State.PROCESSING]}}
    eventually("all wait", lambda: trial.application.mails.count_documents(waiting) == MAILS)

    _mend(trial, f"SMTP: failing at {stage.name}", answers)


@pytest.mark.parametrize("stage", TRANSACTION, ids=_name)
def test_failing_before_the_content(trial: Trial, stage: Stage) -> None:
    """Refusals, hanging, closed connections, now and then a mail that goes through: nothing was
    sent of the others, and every mail is sent in the end, exactly once."""
    answers = InTurn(*stage.answers)
    _begin(trial, Script().at(stage.name, answers))
    eventually("the fault is met", lambda: _met(trial) >= MET, 60)

    _mend(trial, f"SMTP: failing at {stage.name.upper()}", answers)


def _begin(trial: Trial, script: Script) -> None:
    trial.sink.script = script
    trial.application.watcher(**SETTINGS)
    trial.application.worker(**SETTINGS)
    trial.application.insert(MAILS)


def _met(trial: Trial) -> int:
    """Count the mails that went back to wait after an attempt."""
    return sum(
        any(step.state == State.PENDING and step.error for step in steps)
        for steps in trial.history.all()
    )


def _mend(trial: Trial, fault: str, answers: InTurn) -> None:
    """The server is well again, and every mail is sent."""
    trial.sink.script = Script()
    well = time.monotonic()
    trial.application.wait_for_all("SUCCESS", MAILS, seconds=60)
    trial.note("all are sent", time.monotonic() - well, RECOVERY)
    books = trial.balance(fault, remarks=[_counts(answers)])
    assert books.states == {"SUCCESS": MAILS}


def test_failing_after_the_final_dot(trial: Trial) -> None:
    """The server has the mail and does not say so: ERROR in doubt, and never a second attempt."""
    application, sink = trial.application, trial.sink
    answers = InTurn(*["drop", "reset"] * 19, "hang", "451 4.3.0 Try again")
    sink.script = Script(after_data=answers)
    application.watcher(**HANGING)
    application.worker(**HANGING)
    application.insert(MAILS)
    application.wait_for_all("ERROR", MET, seconds=60)

    sink.script = Script()
    well = time.monotonic()
    trial.wait_until_settled()
    trial.note("all are settled", time.monotonic() - well, LEASE + RECOVERY)

    books = trial.balance(
        "SMTP: failing after the final dot", in_doubt=IN_DOUBT, remarks=[_counts(answers)]
    )
    assert books.taken == MAILS
    assert books.states["ERROR"] >= MET


def test_failing_within_the_content(trial: Trial) -> None:
    """A server that had no chance to read the final dot has not got the mail, and gets it later;
    of a short mail, which left in one piece, nobody knows."""
    application, sink = trial.application, trial.sink
    answers = InTurn(*["drop", "reset"] * 19, "stall")
    sink.script = Script(content=answers)
    application.watcher(**HANGING)
    application.worker(**HANGING)
    large = {"subject": "Large", "text": ("x" * 75 + "\n") * 160_000}
    ids = application.insert_numbered(range(2), message=large)
    application.insert_numbered(range(2, MAILS))
    application.wait_for_all("ERROR", MET, seconds=60)
    eventually("large mails, too", lambda: all(_failed(trial, id) for id in ids), 60)

    sink.script = Script()
    well = time.monotonic()
    trial.wait_until_settled()
    trial.note("all are settled", time.monotonic() - well, LEASE + RECOVERY)

    books = trial.balance(
        "SMTP: failing within the content", in_doubt=IN_DOUBT, remarks=[_counts(answers)]
    )
    assert books.states["ERROR"] >= MET
    assert {application.delivery(id)["state"] for id in ids} == {State.SUCCESS}


def test_slow(trial: Trial) -> None:
    """A server that becomes slow in the middle of a group, each mail a good part of the lease: no
    lease expires, nothing is in doubt."""
    application, sink = trial.application, trial.sink
    sink.script = Script()
    many = {"WORKER_CONCURRENCY": "96", "SMTP_TIMEOUT_SECONDS": "4", "LEASE_SECONDS": "5"}
    application.watcher(**SETTINGS | many)
    application.worker(**SETTINGS | many)
    application.insert_numbered(range(200))
    application.wait_for_all("SUCCESS", 100)
    sink.script = Script(delay=1.0, trickle=0.0005)
    application.insert_numbered(range(200, MAILS))
    application.wait_for_all("SUCCESS", 100 + MET, seconds=60)

    sink.script = Script()
    well = time.monotonic()
    trial.wait_until_settled()
    trial.note("all are sent", time.monotonic() - well, RECOVERY)

    assert trial.balance("SMTP: slow, 1 s a reply").states == {"SUCCESS": MAILS}


def _failed(trial: Trial, id: Any) -> bool:
    return any(step.error for step in trial.history.of(id))


def _counts(answers: InTurn) -> str:
    return ", ".join(f"{count} {answer or 'well'}" for answer, count in answers.given.items())

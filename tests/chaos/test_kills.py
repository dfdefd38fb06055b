"""kill -9, again and again, while mails are on their way."""

from __future__ import annotations

import pytest

from tasks.delivery.states import Phase, State
from tests.chaos.trial import Trial
from tests.support.sink import Script


MAILS = 600
LEASE, SWEEP = 5.0, 0.5
SHORT = {
    "LEASE_SECONDS": str(LEASE),
    "SWEEP_SECONDS": str(SWEEP),
    "WORKER_CONCURRENCY": "4",
}
#: What operators are promised: the leader's lease of 8 s, and one look a second.
STANDBY_LEADS = 10.0


@pytest.mark.parametrize(
    ("victims", "claim"), [("worker", "each"), ("worker", "bulk"), ("worker and watcher", "bulk")]
)
def test_killed_workers(trial: Trial, victims: str, claim: str) -> None:
    """Three kills in 600 mails: what a worker had only claimed, another sends; what it was sending
    is ERROR; nothing else is."""
    application = trial.application
    ours = {**SHORT, "CLAIM": claim}
    watcher, worker = application.watcher(**ours), application.worker(**ours)
    for kill in range(3):
        application.insert_numbered(range(kill * MAILS // 3, (kill + 1) * MAILS // 3))
        application.wait_for_all("SUCCESS", kill * MAILS // 4 + 20)
        trial.kill(worker)
        if victims != "worker":
            trial.kill(watcher)
            watcher = application.watcher(**ours)
        worker = application.worker(**ours)
    trial.sink.script = Script()

    trial.wait_until_settled()

    # A new watcher waits for the dead one's lease to end, and only then marks what it finds.
    standby = STANDBY_LEADS if victims != "worker" else 0.0
    trial.note_leases(LEASE, SWEEP + standby)
    left = [before.phase for before, _ in trial.in_killed_hands()]
    counts = [f"{left.count(phase)} killed in phase {phase}" for phase in Phase]
    fault = f"kill -9 of the {victims}, three times"
    trial.balance(f"{fault}, CLAIM={claim}", remarks=counts)


def test_killed_leaders(trial: Trial) -> None:
    """A standby leads within 10 s of the leader's death, twice; every mail is sent once."""
    application = trial.application
    application.worker(**SHORT)
    leader, standby = application.watcher(**SHORT), application.watcher(**SHORT)
    for kill in range(2):
        application.insert_numbered(range(kill * MAILS // 2, (kill + 1) * MAILS // 2))
        application.wait_for_all("SUCCESS", kill * MAILS // 2 + 20)
        killed = trial.kill(leader)
        trial.wait_until_leads(standby, killed, STANDBY_LEADS)
        leader, standby = standby, application.watcher(**SHORT)

    trial.wait_until_settled()

    assert trial.balance("kill -9 of the leading watcher, twice").states == {"SUCCESS": MAILS}


def test_killed_before_anything_was_sent(trial: Trial) -> None:
    """Mails that a killed worker had only claimed are all sent, once, by another: no ERROR."""
    application, sink = trial.application, trial.sink
    application.watcher(**SHORT, BATCH_SIZE="5")
    sink.script = Script(connect="hang")
    # Each thread has five mails in its first group, and waits for the server's greeting.
    many = {"WORKER_CONCURRENCY": "120", "BATCH_SIZE": "5", "SMTP_TIMEOUT_SECONDS": "4.5"}
    worker = application.worker(**SHORT | many)
    application.insert(MAILS)
    application.wait_for_all("PROCESSING", 500)

    trial.kill(worker)
    sink.script = Script()
    application.worker(**SHORT)
    trial.wait_until_settled()

    trial.note_leases(LEASE, SWEEP)
    in_hand = trial.in_killed_hands()
    assert {(before.phase, after.state) for before, after in in_hand} == {
        (Phase.CLAIMED, State.PENDING)
    }
    books = trial.balance(
        "kill -9 of a worker that has only claimed", remarks=[f"{len(in_hand)} were claimed"]
    )
    assert books.states == {"SUCCESS": MAILS}

"""The bench's tables: what counts, what is named, and what the targets are judged by."""

from __future__ import annotations

from bench import table, targets
from bench.contenders.base import Guarantees
from bench.stopwatch import BARE, OURS, Part, Stopwatch
from bench.table import Row
from bench.works import Crash, Drained, Latency


def _row(name: str, *rates: float, cpu: float = 1.0) -> Row:
    row = Row(name, name.upper(), Guarantees("lease", "crash", "outcome"))
    row.fast = [_drained(rate, cpu) for rate in rates]
    return row


def _drained(rate: float, cpu: float = 1.0, invalid: str | None = None) -> Drained:
    return Drained(rate, {"application": cpu, "sink": 9.0}, memory_mb=50.0, invalid=invalid)


def test_a_round_whose_books_do_not_balance_does_not_count() -> None:
    """A contender that forgets mails is no faster for it; the table says what it forgot."""
    row = _row("peer", 100.0, 120.0)
    row.fast.append(_drained(9000.0, invalid="of 500 mails 400 at the server, 500 recorded"))

    assert row.rate == 110.0
    assert "peer: invalid: of 500 mails 400 at the server, 500 recorded" in table.markdown([row])


def test_who_could_not_be_installed_is_named() -> None:
    """A contender is never silently left out."""
    row = _row("peer")
    row.not_run.append("no node on PATH")

    text = table.markdown([row])

    assert "| PEER" in text
    assert "peer: not run: no node on PATH" in text


def test_the_servers_that_stand_in_for_the_world_cost_nothing() -> None:
    """CPU a mail is the application's, its database's and its broker's; not the sink's."""
    assert _row("ours", 100.0, cpu=0.4).cpu == 0.4


def test_targets_compare_within_one_run() -> None:
    """Each promise is judged by the rows that are there; of the others nothing is said."""
    ours, bullmq, floor = _row("ours", 600.0, cpu=1.5), _row("bullmq", 150.0), _row("floor", 400.0)
    ours.latency = [Latency(mails=100, p50=9.0, p99=80.0)]

    lines = targets.lines([ours, bullmq, floor])

    verdicts = [line.split("  ")[0].strip() for line in lines]
    assert verdicts == ["met", "met", "MISSED", "met", "MISSED"]
    assert "4.00 × (600/150)" in lines[0]
    assert "ahead of every peer" in lines[1]
    assert "1.50" in lines[2]
    assert not any("celery-task" in line for line in lines)


def test_a_mail_that_nobody_reports_missing_is_lost() -> None:
    """After a kill, a mail may be reported as failed; it may not be gone without a word."""
    row = _row("ours", 1.0)
    row.crash = Crash(
        killed_at=60, twice=0, unsent=5, reported=4, in_doubt=0, stuck=0, seconds=60.0
    )

    assert "MISSED  after kill -9 nothing twice, lost or stuck: 0 twice, 1 lost" in "\n".join(
        targets.lines([row])
    )


def test_a_steps_ratio_is_the_median_of_its_rounds() -> None:
    """One disturbed round, or a load that comes and goes, does not change the verdict."""
    watch = Stopwatch(server_pid=1)
    watch.samples[Part("claim", "client")] = {OURS: [12.0, 24.0, 900.0], BARE: [10.0, 20.0, 10.0]}

    assert watch.ratios() == {"claim, client": 1.2}

"""What the design promises, checked against one run: ratios to the peers, latency, the floor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.table import Row


_OURS = ("ours", "ours-2", "ours-each", "floor", "floor-grouped")


def lines(rows: Sequence[Row]) -> list[str]:
    """Say of each promise whether this run keeps it; of those that it can tell."""
    return [
        f"{'met   ' if met else 'MISSED'}  {promise}: {measured}"
        for promise, measured, met in _checks({row.name: row for row in rows})
    ]


def _checks(rows: dict[str, Row]) -> Iterator[tuple[str, str, bool]]:
    ours = rows.get("ours")
    if ours is None:
        return
    # The peers have two worker processes, too.
    default = max(filter(None, (ours.rate, _rate(rows, "ours-2"))), default=None)
    for peer, factor in (("bullmq", 3.0), ("celery-task", 4.0)):
        yield from _ratio(f"default ≥ {factor:g} × {peer}", default, _rate(rows, peer), factor)
    fastest = max(
        (row.rate for row in rows.values() if row.name not in _OURS and row.rate), default=None
    )
    yield from _ratio("ahead of every peer", default, fastest, 1.0)
    floor = rows["floor"].cpu if "floor" in rows else None
    if ours.cpu and floor:
        yield "CPU a mail ≤ 1.4 × floor", f"{ours.cpu / floor:.2f}", ours.cpu <= 1.4 * floor
    for promise, value, limit in (
        ("p50 ≤ 15 ms", ours.p50, 15.0),
        ("p99 ≤ 60 ms", ours.p99, 60.0),
    ):
        if value is not None:
            yield promise, f"{value:.1f} ms", value <= limit
    if ours.slow_rate is not None:
        promise = "slow server: ≥ 1,500 mails/s from one worker process"
        yield promise, f"{ours.slow_rate:,.0f}", ours.slow_rate >= 1500
    if ours.crash is not None:
        crash = ours.crash
        lost = crash.unsent - crash.reported
        measured = f"{crash.twice} twice, {lost} lost, {crash.stuck} stuck"
        met = not (crash.twice or lost or crash.stuck)
        yield "after kill -9 nothing twice, lost or stuck", measured, met


def _ratio(
    promise: str, ours: float | None, theirs: float | None, factor: float
) -> Iterator[tuple[str, str, bool]]:
    if ours and theirs:
        yield promise, f"{ours / theirs:.2f} × ({ours:,.0f}/{theirs:,.0f})", ours >= factor * theirs


def _rate(rows: dict[str, Row], name: str) -> float | None:
    return rows[name].rate if name in rows else None

"""The results as a picture: PNG and SVG. Needs matplotlib: requirements-bench.txt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.table import PARTS, Row


_COLOURS = {"application": "#2a6f97", "database": "#e09f3e", "broker": "#9e2a2b"}
_OURS, _FLOOR, _PEER = "#2a6f97", "#d9dee2", "#a9b4bd"


def draw(rows: Sequence[Row], stem: Path, caption: str) -> list[Path]:
    """Draw what was measured; return the files."""
    import matplotlib as mpl  # noqa: PLC0415 - not needed by those who read the table

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    shown = [row for row in rows if row.rate is not None][::-1]
    height = 1.6 + 0.34 * len(shown)
    more = any(row.slow_rate is not None or row.p50 is not None for row in shown)
    lines = 2 if more else 1
    size = (13, lines * height)
    figure, axes = plt.subplots(lines, 2, figsize=size, layout="constrained", squeeze=False)
    _bars(axes[0][0], shown, [row.rate for row in shown], "mails/s, server answers at once")
    _cpu(axes[0][1], shown)
    if more:
        _bars(axes[1][0], shown, [row.slow_rate for row in shown], "mails/s, slow server")
        _latency(axes[1][1], shown)
    figure.suptitle(caption, fontsize=10)
    files = [stem.with_suffix(".png"), stem.with_suffix(".svg")]
    for file in files:
        figure.savefig(file, dpi=120)
    plt.close(figure)
    return files


def _bars(axis: Any, rows: Sequence[Row], values: Sequence[float | None], title: str) -> None:
    colours = [_colour(row) for row in rows]
    bars = axis.barh([row.title for row in rows], [each or 0 for each in values], color=colours)
    axis.bar_label(bars, labels=[f"{each:,.0f}" if each else "–" for each in values], padding=3)
    axis.set_title(title)
    axis.margins(x=0.15)


def _colour(row: Row) -> str:
    if row.name.startswith("ours"):
        return _OURS
    return _FLOOR if row.name.startswith("floor") else _PEER


def _cpu(axis: Any, rows: Sequence[Row]) -> None:
    left = [0.0] * len(rows)
    for part in PARTS:
        widths = [row.part(part) or 0.0 for row in rows]
        axis.barh([row.title for row in rows], widths, left=left, color=_COLOURS[part], label=part)
        left = [begin + width for begin, width in zip(left, widths, strict=True)]
    for number, total in enumerate(left):
        axis.text(total, number, f" {total:.2f}", va="center")
    axis.set_title("CPU ms a mail")
    axis.legend(loc="upper right")
    axis.margins(x=0.15)


def _latency(axis: Any, rows: Sequence[Row]) -> None:
    for number, row in enumerate(rows):
        if row.p50 is not None and row.p99 is not None:
            axis.plot([row.p50, row.p99], [number, number], color=_PEER, linewidth=3)
            axis.plot(row.p50, number, "o", color=_OURS)
    axis.set_yticks(range(len(rows)), [row.title for row in rows])
    axis.set_xscale("log")
    axis.set_title("insert → accepted when idle: p50 to p99, ms")

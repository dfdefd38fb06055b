"""What `make run` says: a table that lives at a terminal, plain lines in a pipe."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local.states import INSERTED, Change, Track


_STYLES = {
    INSERTED: "dim",
    "PENDING": "yellow",
    "PROCESSING": "cyan",
    "SUCCESS": "bold green",
    "ERROR": "bold red",
    "RETRY": "magenta",
}
_COLUMNS = ("PENDING", "PROCESSING", "SUCCESS")


class Report:
    """The one who speaks; nothing it is given is taken for markup or terminal control."""

    def __init__(self) -> None:
        self._out = Console(highlight=False, markup=False, soft_wrap=True)
        self._errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._live: Live | None = None
        self._table_of: dict[int, Track] = {}

    def say(self, text: str = "", style: str | None = None) -> None:
        """Say a line, or several."""
        self._out.print(text, style=style)

    def problem(self, text: str) -> None:
        """Say what went wrong, to stderr."""
        self._errors.print(text, style="red")

    def begin_table(self, tracks: Iterable[Track]) -> None:
        """Show these mails as a table until `end_table`; in a pipe there is none."""
        self._table_of = {id(track): track for track in tracks}
        if self._out.is_terminal:
            self._live = Live(console=self._out, get_renderable=self._table, refresh_per_second=12)
            self._live.start()

    def end_table(self) -> None:
        """Leave the table as it stands."""
        if self._live is not None:
            self._live.stop()
        self._live = None

    def changed(self, track: Track, change: Change) -> None:
        """Say that a mail came into another state."""
        if self._live is not None and id(track) in self._table_of:
            self._live.refresh()
            return
        after = track.milliseconds(change.at)
        line = Text()
        line.append(f"{_clock(change.at)}  ", "dim")
        line.append(f"{_clean(change.state):<10}  ", _STYLES.get(change.state, "bold"))
        line.append(f"{'' if after is None else f'+{after} ms':>9}  ", "dim")
        line.append(_clean(track.name))
        if change.error:
            line.append(f"  {_clean(change.error)}", "red")
        self._out.print(line)

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
        table.add_column("example")
        for state in _COLUMNS:
            table.add_column(state, justify="right", style=_STYLES[state])
        table.add_column("")
        for track in self._table_of.values():
            times = [_after(track, state) for state in _COLUMNS]
            table.add_row(Text(track.name), *times, _end(track))
        return table


def _after(track: Track, state: str) -> str:
    at = track.times.get(state)
    after = None if at is None else track.milliseconds(at)
    return "" if after is None else f"+{after} ms"


def _end(track: Track) -> Text:
    if track.state == "SUCCESS":
        return Text("✓", "bold green")
    if track.finished:
        return Text(f"{track.state} {_clean(track.error or '')}", "bold red")
    return Text("…", "dim")


def _clock(at: datetime) -> str:
    return at.astimezone().strftime("%H:%M:%S.%f")[:-3]


def _clean(text: str) -> str:
    # Documents are other people's: an escape sequence in a subject would reach the terminal.
    return "".join(letter if letter.isprintable() else "·" for letter in text)[:200]

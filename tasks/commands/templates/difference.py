"""What stands on one shelf of templates and not on the other."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.commands.templates.shelf import NAMES, Files, Key, Shelf


@dataclass(frozen=True, slots=True)
class Difference:
    """One template that is another now; `old` None: it is new, `new` None: it goes."""

    key: Key
    old: Files | None
    new: Files | None

    @property
    def action(self) -> str:
        if self.old is None:
            return "add"
        return "delete" if self.new is None else "change"

    @property
    def changes(self) -> dict[str, tuple[str | None, str | None]]:
        """Give the files that differ, each with its old and its new content."""
        old, new = self.old or {}, self.new or {}
        return {
            name: (old.get(name), new.get(name)) for name in NAMES if old.get(name) != new.get(name)
        }

    def lines(self) -> Iterator[str]:
        """Give a unified diff of all its files."""
        for name, (old, new) in self.changes.items():
            path = f"{self.key}/{name}"
            yield from difflib.unified_diff(
                (old or "").splitlines(),
                (new or "").splitlines(),
                "/dev/null" if old is None else path,
                "/dev/null" if new is None else path,
                lineterm="",
            )
            if (old or "").splitlines() == (new or "").splitlines():
                yield f"{path}: only its line ends differ"


def differences(old: Shelf, new: Shelf, *, delete: bool) -> list[Difference]:
    """Compare two shelves; deletions first, since they may make room for a name."""
    changed = [
        Difference(key, old.get(key), files) for key, files in new.items() if old.get(key) != files
    ]
    gone = [Difference(key, files, None) for key, files in old.items() if key not in new]
    return (sorted(gone, key=_order) if delete else []) + sorted(changed, key=_order)


def _order(difference: Difference) -> tuple[bool, str]:
    return not difference.key.partial, difference.key.name

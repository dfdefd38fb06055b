"""What stands on one shelf of templates and not on the other."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from bson import json_util

from tasks.commands.templates.shelf import NAMES, VALUES, Files, Key, Shelf


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


def same(old: Files, new: Files) -> bool:
    """Tell whether they say the same; values may be laid out in another way."""
    return old.keys() == new.keys() and all(_same(name, old[name], new[name]) for name in old)


def _same(name: str, old: str, new: str) -> bool:
    if old == new or name not in VALUES:
        return old == new
    try:
        return bool(json_util.loads(old) == json_util.loads(new))
    except ValueError:
        return False


def differences(old: Shelf, new: Shelf, *, delete: bool) -> list[Difference]:
    """Compare two shelves; deletions first, since they may make room for a name."""
    changed = [
        Difference(key, old.get(key), files)
        for key, files in new.items()
        if key not in old or not same(old[key], files)
    ]
    gone = [Difference(key, files, None) for key, files in old.items() if key not in new]
    return (sorted(gone, key=_order) if delete else []) + sorted(changed, key=_order)


def _order(difference: Difference) -> tuple[bool, str]:
    return not difference.key.partial, difference.key.name

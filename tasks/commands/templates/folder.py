"""Templates in a folder: `welcome/subject.hbs`, `partials/layout/html.hbs`.

Names come from a collection that others write, folders from wherever one was fetched: no name and
no link leads out of the folder.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.commands.templates.difference import Difference
from tasks.commands.templates.shelf import NAMES, Files, Key


PARTIALS = "partials"
#: What a folder's name may hold as it is; all else, a dot at its start too, is percent-encoded.
_PLAIN = re.compile(r"[A-Za-z0-9_ ()+,=@-][A-Za-z0-9_. ()+,=@-]*")
#: No file system takes a longer name.
_MAX_NAME = 255


class FolderError(Exception):
    """The folder cannot be read or written; the text says why."""


def read(root: Path) -> dict[Key, Files]:
    """Read all templates below a folder. Raises FolderError."""
    if not root.is_dir():
        raise FolderError(f"{root} is no folder")
    found: dict[Key, Files] = {}
    for key, place in _places(root):
        files = _files(root, place)
        if files and found.setdefault(key, files) is not files:
            raise FolderError(f"{place} is a second folder for the template {key}")
    return found


def write(root: Path, differences: Iterable[Difference]) -> None:
    """Bring the differences about. Raises FolderError."""
    for difference in differences:
        place = _inside(root, root / _path(difference.key))
        for name, (_, new) in difference.changes.items():
            file = _inside(root, place / name)
            if new is None:
                file.unlink(missing_ok=True)
            else:
                place.mkdir(parents=True, exist_ok=True)
                file.write_text(new, encoding="utf-8", newline="")
        if difference.new is None and place.is_dir() and not any(place.iterdir()):
            place.rmdir()


def encoded(name: str) -> str:
    """Give the folder's name for a template. Raises FolderError when no folder can have it."""
    plain = name if _PLAIN.fullmatch(name) else _percent(name)
    if not name or len(plain) > _MAX_NAME:
        raise FolderError(f"no folder can be named after the template {name[:60]!r}")
    return plain


def _percent(name: str) -> str:
    quoted = urllib.parse.quote(name, safe=" ()+,=@")
    return "%2E" + quoted[1:] if quoted.startswith(".") else quoted.replace("~", "%7E")


def _path(key: Key) -> Path:
    place = Path(encoded(key.name))
    return Path(PARTIALS) / place if key.partial else place


def _places(root: Path) -> Iterator[tuple[Key, Path]]:
    for place in sorted(root.iterdir()):
        if place.is_dir() and not place.name.startswith("."):
            yield Key(urllib.parse.unquote(place.name)), place
    partials = root / PARTIALS
    for place in sorted(partials.iterdir()) if partials.is_dir() else ():
        if place.is_dir() and not place.name.startswith("."):
            yield Key(urllib.parse.unquote(place.name), partial=True), place


def _files(root: Path, place: Path) -> dict[str, str]:
    return {name: _text(_inside(root, place / name)) for name in NAMES if (place / name).exists()}


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"{file}: {error}") from error


def _inside(root: Path, path: Path) -> Path:
    if not path.resolve().is_relative_to(root.resolve()):
        raise FolderError(f"{path} leads out of {root}")
    return path

"""ATTACHMENT_ROOT: files of this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from pathlib import Path

from config.patience import Patience
from tasks.errors import Transient
from tasks.gathering.errors import Unobtainable, too_large
from tasks.mail.gathered import File


#: For a directory on the way, of which only the next name is asked.
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Opening a named pipe must not wait for its writer.
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC

_FAULTS = {
    errno.ENOENT: "does not exist below ATTACHMENT_ROOT",
    errno.EACCES: "may not be read",
    errno.EPERM: "may not be read",
    errno.ENAMETOOLONG: "is too long for a path",
    errno.ENOTDIR: "does not exist below ATTACHMENT_ROOT",
    errno.ELOOP: "does not exist below ATTACHMENT_ROOT",
    errno.ENXIO: "is no regular file",
}


class LocalFiles:
    """Regular files below one directory; symbolic links may not lead out of it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._patience = Patience()

    def read(self, path: str, limit: int) -> File:
        """Read a file of at most `limit` bytes; `path` is below the root, or relative to it.

        Raises Unobtainable, or Transient when the machine has a problem.
        """
        try:
            # Path.resolve has a RuntimeError for links in a circle.
            root = Path(os.path.realpath(self._root, strict=True))
        except OSError as error:
            raise Transient(f"ATTACHMENT_ROOT cannot be opened: {error.strerror}") from error
        try:
            names = _names(root, path)
            with contextlib.closing(_Descriptor(root)) as place:
                for name in names[:-1]:
                    place.enter(name, _DIRECTORY)
                place.enter(names[-1], _FILE)
                data = _content(place.number, limit)
        except OSError as error:
            raise _translated(error) from error
        return File(data, name=names[-1])

    def read_until(self, deadline: float, path: str, limit: int) -> File:
        """Do so, until `deadline` (time.monotonic()): a network file system may hang for ever."""
        left = max(deadline - time.monotonic(), 0.0)
        try:
            return self._patience.call(lambda: self.read(path, limit), left)
        except TimeoutError as error:
            raise Transient("cannot be read: ATTACHMENT_ROOT does not answer") from error


def _names(root: Path, path: str) -> list[str]:
    """Resolve every link, and give the names from the root to the file.

    What is resolved here may be changed before it is opened: so no link is followed then.
    """
    whole = Path(os.path.realpath(root / path)) if "\0" not in path else root
    if root not in whole.parents:
        raise Unobtainable("does not exist below ATTACHMENT_ROOT")
    return list(whole.relative_to(root).parts)


class _Descriptor:
    """An open directory or file, reached name by name."""

    def __init__(self, root: Path) -> None:
        self.number = os.open(root, _DIRECTORY)

    def enter(self, name: str, flags: int) -> None:
        inner = os.open(name, flags, dir_fd=self.number)
        os.close(self.number)
        self.number = inner

    def close(self) -> None:
        os.close(self.number)


def _content(number: int, limit: int) -> bytes:
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        raise Unobtainable("is no regular file")
    if status.st_size > limit:
        raise too_large(limit)
    with os.fdopen(number, "rb", closefd=False) as file:
        data = file.read(limit + 1)  # it may be growing
    if len(data) > limit:
        raise too_large(limit)
    return data


def _translated(error: OSError) -> Exception:
    fault = _FAULTS.get(error.errno or 0)
    return Unobtainable(fault) if fault else Transient(f"cannot be read: {error.strerror}")

"""One stack for each data folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InUseError(Exception):
    """Another stack runs on this folder."""


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Keep the folder to ourselves; the kernel frees it at our end, whatever that is."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise InUseError(
                f"Mailtrigger runs already on {directory} (process {file.read().strip()}):"
                " stop it with Ctrl-C, or give this one another folder:"
                " python -m local --data OTHER"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield

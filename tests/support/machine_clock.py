"""The wall clock of a machine that a test sets, for real processes that know nothing of it.

libfaketime answers in the C library's place what time it is; time.monotonic() stays true, as on a
machine whose wall clock jumps.
"""

from __future__ import annotations

import importlib.util
from datetime import timedelta
from pathlib import Path


class MachineClock:
    """The processes started with `variables` live by it."""

    def __init__(self, directory: Path, name: str) -> None:
        self._file = directory / f"{name}.clock"
        self.set_off(timedelta(0))

    def set_off(self, by: timedelta) -> None:
        """Let it be so far ahead of the true time, from now on; a negative time is behind."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{by.total_seconds():+.0f}")
        new.replace(self._file)  # in one step: the file is read all the time

    @property
    def variables(self) -> dict[str, str]:
        """What a process needs in its environment."""
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }


def _library() -> Path:
    spec = importlib.util.find_spec("libfaketime")  # importing it would change this process
    assert spec is not None, "no libfaketime: run `make install`"
    assert spec.origin is not None
    library = Path(spec.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    assert library.exists(), f"no library in the package: {library}"
    return library

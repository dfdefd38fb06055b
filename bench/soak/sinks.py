"""How many mails the SMTP server took: smtp-sink's counter, or every recipient by name."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path


_COUNT = re.compile(rb"mesg=(\d+)")
#: Bytes at the end of its output that hold at least one count.
_TAIL = 200


class Postfix:
    """smtp-sink -c: it prints its count with every mail. It counts, it does not say whose."""

    OPTIONS = ("-c",)

    def __init__(self, log: Path) -> None:
        self._log = log

    def count(self) -> int:
        """Count the mails taken so far."""
        with self._log.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - _TAIL))
            found = _COUNT.findall(log.read())
        return int(found[-1]) if found else 0

    def twice(self) -> list[str] | None:
        """Find recipients who got more than one mail; None: it does not know."""
        return None


class Recording:
    """bench.soak.recording_sink: one line for each recipient of each mail."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = 0
        self._recipients: Counter[bytes] = Counter()

    def count(self) -> int:
        """Count the mails taken so far."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        self._recipients.update(whole.split())
        return self._recipients.total()

    def twice(self) -> list[str]:
        """Find recipients who got more than one mail."""
        return [name.decode() for name, count in self._recipients.items() if count > 1]

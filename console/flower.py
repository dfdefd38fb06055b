"""Links from a mail into Flower, as far as a document knows the way.

A document does not hold the id of the Celery task that sent it. Flower's page of tasks can be
asked for the tasks that show this mail's id (of a batch Flower shows the first three), and for
those of the worker's machine. Flower knows only what happened while it ran.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


#: The name of the Celery task, of which this package knows nothing else.
TASK = "tasks.send"
#: Flower looks for no shorter text, and reads no longer question.
_SHORTEST, _LONGEST = 3, 500


@dataclass(frozen=True, slots=True)
class Worker:
    """`delivery.worker`, taken apart: host, process id, and a token unlike any other's."""

    host: str
    pid: str
    token: str


def worker(text: str | None) -> Worker | None:
    """Read `delivery.worker`; None for anything else."""
    host, _, rest = (text or "").partition(":")
    pid, _, token = rest.partition(":")
    return Worker(host, pid, token) if host and pid.isdecimal() and token else None


def tasks_of_mail(flower: str | None, id: Any) -> str | None:
    """Make the address that looks for the tasks which show this id."""
    text = str(id)
    if flower is None or not _SHORTEST <= len(text.strip()) <= _LONGEST:
        return None
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    # The page makes `name:VALUE` of it, and a space begins the next condition.
    wanted = f'{TASK} args:"{escaped}"'
    return f"{flower}/tasks?name={quote(wanted, safe='')}"


def tasks_of_worker(flower: str | None, found: Worker | None) -> str | None:
    """Make the address of the tasks of all workers on that host."""
    if flower is None or found is None:
        return None
    # Celery names a worker NAME@HOST.
    name = f"@{found.host}"
    return f"{flower}/tasks?worker={quote(name, safe='')}" if len(name) >= _SHORTEST else None

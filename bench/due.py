"""How late mails with a `sendAt` leave while many wait for later: `python -m bench.due --help`."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from bench.stack import Stack, mail, stack
from tasks.delivery import indexes, states


_CHUNK = 5000
_PATIENCE = 120.0
#: Seconds from the insert to the first `sendAt`, and between two of them.
_AHEAD, _BETWEEN = 8.0, 0.7


def main(
    waiting: Annotated[int, typer.Option(help="mails that wait for next month")] = 1_000_000,
    mails: Annotated[int, typer.Option(help="mails that are due one after the other")] = 30,
) -> None:
    """Insert those that wait as the watcher leaves them, then some that are due soon."""
    with stack() as running:
        indexes.ensure(running.mails)
        _insert_waiting(running, waiting)
        running.watcher()
        running.worker(0)
        ids = _insert_due(running, mails)
        later, sooner = ids[0], ids[1]
        # A change of mind, while they wait.
        running.mails.update_one({"_id": later}, {"$set": {"sendAt": _in(_AHEAD + 3)}})
        running.mails.update_one({"_id": sooner}, {"$unset": {"sendAt": ""}})
        _wait(running, ids)
        late = sorted(_lateness(running, ids[2:]))
        print(f"{waiting:,} mails wait; {len(late)} were due: ended after their sendAt")
        print(f"  p50 {statistics.median(late):.2f} s, {late[0]:.2f} to {late[-1]:.2f} s")
        print(f"  sendAt moved by 3 s: {_lateness(running, [later])[0]:.2f} s after the new one")
        start = running.mails.find_one({"_id": sooner})
        assert start is not None
        took = start["delivery"]["endTime"] - start["delivery"]["startTime"]
        print(f"  sendAt removed: ended {took.total_seconds():.2f} s after the insert")
        assert late[0] >= 0, "a mail went out before its sendAt"


def _in(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def _insert_waiting(running: Stack, count: int) -> None:
    month = _in(30 * 86_400)
    now = datetime.now(UTC)
    for start in range(0, count, _CHUNK):
        documents: list[dict[str, Any]] = []
        for number in range(start, min(start + _CHUNK, count)):
            due = month + timedelta(seconds=number)
            pending = states.pending(now, None, enqueued=False, due=due)
            text = {"subject": "later", "text": "later"}
            documents.append(
                {"to": "a@example.com", "message": text, "sendAt": due, "delivery": pending}
            )
        running.mails.insert_many(documents, ordered=False)


def _insert_due(running: Stack, count: int) -> list[Any]:
    documents = [
        {**mail(number), "sendAt": _in(_AHEAD + number * _BETWEEN)} for number in range(count)
    ]
    return list(running.mails.insert_many(documents).inserted_ids)


def _wait(running: Stack, ids: list[Any]) -> None:
    end = time.monotonic() + _PATIENCE
    query = {"_id": {"$in": ids}, "delivery.state": "SUCCESS"}
    while (found := running.mails.count_documents(query)) < len(ids):
        if time.monotonic() > end:
            raise TimeoutError(f"{found} of {len(ids)} are SUCCESS")
        time.sleep(0.2)


def _lateness(running: Stack, ids: list[Any]) -> list[float]:
    found = running.mails.find({"_id": {"$in": ids}})
    return [(each["delivery"]["endTime"] - each["sendAt"]).total_seconds() for each in found]


if __name__ == "__main__":
    typer.run(main)

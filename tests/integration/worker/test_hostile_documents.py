"""Bad input in bulk: hostile documents between good mails, through the real watcher and worker.

In the suite some 1,500 documents; `make fuzz-documents` inserts 20,000 hostile ones, and FUZZ_SEED
makes others.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import bson
from pymongo.errors import BulkWriteError

from config import mongo
from local.processes import Server
from tasks.delivery import indexes
from tests.support import fuzz_forged, fuzz_values
from tests.support.application import Application, eventually
from tests.support.fuzz_cases import Case, End
from tests.support.processes import cpu_seconds
from tests.support.sink import Sink


HOSTILE = int(os.environ.get("FUZZ_DOCUMENTS", "1200"))
SEED = os.environ.get("FUZZ_SEED", "20261125")
#: Of the documents, those that stand there before the first watcher: the sweep has to find them.
BEFORE = 0.25
_STEP = 200
#: Seconds for a document, many times what one takes on an idle machine.
_PATIENCE = 0.1
_LIVE = {"delivery.state": {"$in": [None, "PENDING", "RETRY", "PROCESSING"]}}


def cases(count: int) -> Iterator[Case]:
    """Make hostile documents with a good mail after every third."""
    rng = random.Random(SEED)
    pool = fuzz_values.pool(60)
    for number in range(1, count + 1):
        yield fuzz_forged.case(rng, pool, 2 * number, hostile=True)
        if number % 3 == 0:
            yield fuzz_forged.case(rng, pool, 2 * number + 1, hostile=False)


def test_every_hostile_document_is_told_why_and_every_good_mail_arrives_once(
    application: Application, sink: Sink
) -> None:
    """No process ends, and nothing is found for ever: afterwards watcher and worker are idle."""
    every = list(cases(HOSTILE))
    indexes.ensure(application.mails)
    first = int(len(every) * BEFORE)
    problems = _insert(application, every[:first])
    watcher = application.watcher(SWEEP_SECONDS="1", LOG_LEVEL="DEBUG")
    worker = application.worker()
    problems += _insert(application, every[first:])
    _wait(application, every, 60 + len(every) * _PATIENCE)

    problems += _settled(application, every) + _arrived(sink, every)
    swept = _swept(watcher)
    idle = _idle(watcher, worker)

    assert problems == [], f"{len(problems)} problems, {_by_what(problems)}"
    assert (watcher.returncode, worker.returncode) == (None, None)
    assert _broken(watcher) + _broken(worker) == []
    assert _swept(watcher) == swept
    assert idle < 0.1
    ends = Counter(case.end.value for case in every)
    print(f"\n{dict(ends)} documents, seed {SEED}; idle: {idle:.1%} of a CPU", file=sys.stderr)  # noqa: T201


def _wait(application: Application, every: list[Case], seconds: float) -> None:
    """Wait until nothing waits; name what does."""
    mails = application.mails.with_options(codec_options=mongo.CODEC)
    try:
        eventually("nothing waits", lambda: mails.count_documents(_LIVE) == 0, seconds)
    except TimeoutError as error:
        left = {each["case"] for each in mails.find(_LIVE, {"_id": 0, "case": 1})}
        shown = [(case.what, _shown(case)) for case in every if _number(case) in left]
        raise TimeoutError(f"{error}: {len(shown)}, {shown[:8]}\n{application.logs()}") from None


def _insert(application: Application, every: list[Case]) -> list[str]:
    """Insert them in order; tell what MongoDB took or refused against expectation."""
    problems: list[str] = []
    raw: Any = application.mails
    for start in range(0, len(every), _STEP):
        step = every[start : start + _STEP]
        refused: dict[int, str] = {}
        try:
            raw.insert_many([case.document for case in step], ordered=False)
        except BulkWriteError as error:
            refused = {each["index"]: each["errmsg"] for each in error.details["writeErrors"]}
        problems += [
            f"{case.what}: insert of {case.recipient}: {refused.get(index)}"
            for index, case in enumerate(step)
            if not _is_as_expected(case, refused.get(index))
        ]
    return problems


def _is_as_expected(case: Case, refusal: str | None) -> bool:
    if case.end is not End.REFUSED:
        return refusal is None
    return refusal is not None and all(each in refusal for each in case.named)


def _settled(application: Application, every: list[Case]) -> list[str]:
    """Compare each document with what must have become of it."""
    mails = application.mails.with_options(codec_options=mongo.CODEC)
    found = {each["case"]: each for each in mails.find({}, {"_id": 0, "case": 1, "delivery": 1})}
    return [
        f"{case.what}: {case.recipient} {case.named}: {fault}; was {_shown(case)}"
        for case in every
        if (fault := _fault(case, found.get(_number(case))))
    ]


def _fault(case: Case, found: dict[str, Any] | None) -> str | None:
    if case.end is End.REFUSED:
        return None if found is None else "is there"
    if found is None:
        return "is not there"
    delivery = found["delivery"]
    if not isinstance(delivery, dict):
        return f"delivery is {delivery!r}"
    if case.end is End.UNTOUCHED:
        same = bson.encode(delivery) == bson.encode(case.document["delivery"])
        return None if same else f"became {delivery}"
    error = delivery.get("error") or ""
    if case.end is End.SENT:
        return None if delivery["state"] == "SUCCESS" else f"{delivery['state']} {error}"[:300]
    good = delivery["state"] == "ERROR" and all(each in error for each in case.named)
    return None if good and "internal error" not in error else f"{delivery['state']} {error}"[:300]


def _arrived(sink: Sink, every: list[Case]) -> list[str]:
    """Compare what the server took with what it should have taken: those mails, each once."""
    taken = Counter(recipient for mail in sink.messages for recipient in mail.recipients)
    wanted = Counter(case.recipient for case in every if case.end is End.SENT)
    return [
        f"arrived: {recipient} {taken[recipient]} times instead of {wanted[recipient]}"
        for recipient in taken | wanted
        if taken[recipient] != wanted[recipient]
    ]


def _idle(*servers: Server) -> float:
    """Tell which part of a CPU the processes use when there is nothing to do."""
    begun, used = time.monotonic(), sum(map(cpu_seconds, servers))
    eventually("some seconds", lambda: time.monotonic() - begun > 5)
    return (sum(map(cpu_seconds, servers)) - used) / (time.monotonic() - begun)


def _swept(watcher: Server) -> int:
    """Count how often a sweep has found something."""
    return watcher.log.read_text(encoding="utf-8").count('"event": "sweep.')


def _broken(server: Server) -> list[str]:
    """Quote what the process logged of trouble: no document may be a reason for any."""
    lines = server.log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line[:500] for line in lines if _is_trouble(line)]


def _is_trouble(line: str) -> bool:
    try:
        event = json.loads(line)
    except ValueError:
        return "Traceback" in line or "Error" in line  # Celery's banner is no JSON
    return event.get("level") in {"error", "critical"} or "exception" in event


def _number(case: Case) -> int:
    return int(case.recipient[1:].partition("@")[0])


def _by_what(problems: list[str]) -> str:
    return json.dumps(
        {
            what: [each for each in problems if each.startswith(f"{what}:")][:3]
            for what in {each.partition(":")[0] for each in problems}
        },
        indent=1,
        ensure_ascii=False,
    )


def _shown(case: Case) -> str:
    try:
        fields = {name: value for name, value in case.document.items() if name != "case"}
    except bson.errors.BSONError:
        fields = {"as bytes": bytes(case.document.raw)}  # type: ignore[attr-defined]
    return repr(fields)[:400]

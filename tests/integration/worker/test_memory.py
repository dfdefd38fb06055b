"""Documents of a hundred thousand pieces: a worker holds no more of them than it reads."""

from __future__ import annotations

import pytest

from tests.support.application import Application, eventually, mail
from tests.support.processes import resident_memory


MANY = 48
#: Empty maps: 2.5 MB as BSON, some 25 MB as Python's dictionaries.
PIECES = 250_000
#: Bytes; what one held for each mail of a group, in each thread, was more than a gigabyte.
ENOUGH = 500_000_000


@pytest.mark.parametrize("field", ["note", "to"])
def test_documents_are_let_go_once_composed(application: Application, field: str) -> None:
    """Unknown keys are the service's own business, wrong ones are an ERROR: neither stays."""
    pieces: list[dict[str, int]] = [{} for _ in range(PIECES)]
    for number in range(MANY):
        application.mails.insert_one(mail(number, **{field: pieces}))
    application.watcher()
    worker = application.worker()
    largest = 0

    def done() -> bool:
        nonlocal largest
        largest = max(largest, resident_memory(worker))
        return set(application.states()) <= {"SUCCESS", "ERROR"}

    eventually("all settled", done, 60)

    assert application.states() == {"SUCCESS" if field == "note" else "ERROR": MANY}
    assert largest < ENOUGH
    assert worker.returncode is None

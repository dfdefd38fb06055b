"""What a worker does with the mails in its hands when it is stopped.

For workers that are killed or paused see tests/chaos.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.application import Application
from tests.support.sink import Script, Sink


@pytest.mark.parametrize("pool", ["threads", "prefork", "solo"])
def test_a_stop_finishes_what_is_in_hand_and_puts_the_rest_back(
    application: Application, sink: Sink, pool: str
) -> None:
    """After SIGTERM nothing is PROCESSING, nothing is ERROR; another worker sends the rest."""
    sink.script = Script(delay=0.02)
    application.watcher()
    worker = application.worker(WORKER_POOL=pool, WORKER_CONCURRENCY="2")
    application.insert(200)
    application.wait_for_all("SUCCESS", 5)

    assert worker.stop(timeout=30) == 0

    states = application.states()
    assert states.get("SUCCESS", 0) < 200
    assert set(states) <= {"SUCCESS", "PENDING"}
    assert len(sink.messages) == states["SUCCESS"]
    sink.script = Script()
    application.worker()
    application.wait_for_all("SUCCESS", 200)
    assert _twice(sink) == {}


def _twice(sink: Sink) -> dict[str, int]:
    counts = Counter(message.recipients[0] for message in sink.messages)
    return {recipient: count for recipient, count in counts.items() if count > 1}

"""A lease that is over before anything could be sent."""

from __future__ import annotations

from typing import Any

from pymongo import MongoClient

from tests.support.application import Application
from tests.support.failpoint import failing
from tests.support.sink import Sink


def test_a_claim_that_came_too_late_is_not_the_smtp_servers_fault(
    application: Application, sink: Sink, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """MongoDB answers when the lease is over: the mail goes back and is sent, and not ERROR.

    Takes 6 s: the shortest lease is of 5 s.
    """
    application.watcher(SWEEP_SECONDS="0.5")
    application.worker(LEASE_SECONDS="5", WORKER_CONCURRENCY="1")

    slow: dict[str, Any] = {
        "blockConnection": True,
        "blockTimeMS": 6000,
        "appName": "mailtrigger-worker",
    }
    with failing(mongo_client, "findAndModify", **slow):
        [id] = application.insert()
        delivery = application.wait_for(id, "SUCCESS", "ERROR")

    assert (delivery["state"], delivery["error"]) == ("SUCCESS", None)
    assert len(sink.messages) == 1

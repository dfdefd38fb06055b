"""What the watcher makes of inserts and updates; no worker runs, so the queues keep it all."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.lanes import Lane
from tests.support.application import Application, eventually


def test_a_new_mail_becomes_pending_and_is_enqueued(application: Application) -> None:
    """An insert without delivery gets the fields of a waiting mail, and one message."""
    application.watcher()
    [id] = application.insert()

    delivery = application.wait_for(id, "PENDING")

    assert delivery["attempts"] == 0
    assert delivery["error"] is None
    assert delivery["leaseExpireTime"] is None
    assert delivery["startTime"] == delivery["enqueueTime"]
    eventually("one message", lambda: application.queued() == 1)


def test_mails_inserted_while_no_watcher_ran_are_found(application: Application) -> None:
    """Without a resume token, the documents that wait already are brought in."""
    application.insert(30)

    application.watcher()

    application.wait_for_all("PENDING", 30)
    eventually("messages", application.queued)

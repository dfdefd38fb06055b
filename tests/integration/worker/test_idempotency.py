"""idempotencyKey: whoever inserts twice sends once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.application import Application, eventually
from tests.support.sink import Script, Sink, first


@pytest.fixture
def running(application: Application) -> Application:
    """One watcher and two workers."""
    application.watcher()
    application.worker()
    application.worker()
    return application


def test_fifty_inserts_at_once_send_one_mail(running: Application, sink: Sink) -> None:
    """Fifty clients with one key: one mail, and 49 documents that name the one that was sent."""
    start = threading.Barrier(50)

    def insert() -> None:
        start.wait()
        running.insert(idempotencyKey="invoice-4711")

    threads = [threading.Thread(target=insert) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    running.wait_for_all("SUCCESS", 50)

    assert len(sink.messages) == 1
    [original] = running.mails.find({"delivery.info.duplicateOf": None})
    duplicates = list(running.mails.find({"delivery.info.duplicateOf": original["_id"]}))
    assert len(duplicates) == 49
    assert all(each["delivery"]["info"]["accepted"] == [] for each in duplicates)
    assert all("waitsFor" not in each["delivery"] for each in duplicates)


def test_other_keys_and_none_are_other_mails(running: Application, sink: Sink) -> None:
    """The key alone says what is the same."""
    for key in ("a", "b", None):
        running.insert(idempotencyKey=key)
    running.insert()

    assert len(sink.wait(4)) == 4
    running.wait_for_all("SUCCESS", 4)


def test_a_mail_that_failed_gives_its_key_to_the_next(running: Application, sink: Sink) -> None:
    """The first was refused for good: the second, sent to the right address, is no duplicate."""
    sink.script = Script(rcpt={"wrong@example.com": "550 5.1.1 no such user"})
    [wrong] = running.insert(to="wrong@example.com", idempotencyKey="reset-1")
    running.wait_for(wrong, "ERROR")

    [right] = running.insert(idempotencyKey="reset-1")

    assert running.wait_for(right, "SUCCESS")["info"]["accepted"] == ["recipient0@example.com"]


def test_a_duplicate_of_a_mail_in_doubt_says_so(running: Application, sink: Sink) -> None:
    """Nobody knows whether the first was sent: sending the second might be the second time."""
    sink.script = Script(after_data=first(1, "drop"))
    [doubtful] = running.insert(idempotencyKey="invoice-1")
    assert running.wait_for(doubtful, "ERROR")["inDoubt"] is True

    [second] = running.insert(idempotencyKey="invoice-1")

    delivery = running.wait_for(second, "ERROR")
    assert "in doubt" in delivery["error"]
    assert delivery["info"]["duplicateOf"] == doubtful
    assert len(sink.messages) == 1


def test_a_duplicate_waits_for_an_original_that_is_not_done(
    running: Application, sink: Sink
) -> None:
    """Meanwhile it says what it waits for; when the original failed, it is sent itself."""
    sink.script = Script(after_data="hang")
    [slow] = running.insert(idempotencyKey="k")
    eventually("the server has it", lambda: sink.counts["DATA"])

    [second] = running.insert(idempotencyKey="k")

    eventually("it waits", lambda: running.delivery(second).get("waitsFor"))
    assert running.delivery(second)["state"] in ("PENDING", "PROCESSING")
    assert running.delivery(second)["attempts"] <= 1
    sink.script = Script()
    sink.disconnect("451 4.3.0 not now")
    running.wait_for(slow, "ERROR")
    assert running.wait_for(second, "SUCCESS")["attempts"] == 1


def test_a_key_of_a_wrong_kind_is_an_error(running: Application) -> None:
    """Named by its path, as any other field."""
    ids = [running.insert(idempotencyKey=key)[0] for key in (5, "", "x" * 256, "a\nb", ["a"])]

    errors = [running.wait_for(id, "ERROR")["error"] for id in ids]

    assert all(error.startswith("idempotencyKey must") for error in errors), errors


def test_a_duplicate_inserted_before_a_mail_for_later(running: Application, sink: Sink) -> None:
    """A mail whose time has not come holds no key: the other one goes out now, and it ends then."""
    soon = datetime.now(UTC) + timedelta(seconds=2)
    [later] = running.insert(idempotencyKey="k", sendAt=soon)

    [now] = running.insert(idempotencyKey="k")

    running.wait_for(now, "SUCCESS")
    assert running.wait_for(later, "SUCCESS")["info"]["duplicateOf"] == now
    assert len(sink.messages) == 1

"""Events of real processes, to a real receiver."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from local import ports
from local.processes import Server
from tests.support.application import Application, eventually
from tests.support.event_receiver import SECRET, EventReceiver
from tests.support.sink import Script, Sink


SENT = ["onStart", "onPending", "onProcessing", "onSuccess", "onComplete"]


@pytest.fixture
def receiver() -> Iterator[EventReceiver]:
    """One that takes everything."""
    with EventReceiver() as running:
        yield running
        assert running.forged == 0


@pytest.fixture
def telling(application: Application, receiver: EventReceiver) -> Application:
    """The application, with that receiver."""
    application.variables |= {"EVENTS_URL": receiver.url, "EVENTS_SECRET": SECRET}
    return application


def _sender(watcher: Server) -> psutil.Process:
    def found() -> psutil.Process | None:
        for each in psutil.Process(watcher.pid).children():
            if "watcher.events" in each.cmdline():
                return each
        return None

    process = eventually("the sender's process", found)
    assert process is not None
    return process


def _leads(watcher: Server, times: int = 1) -> None:
    eventually(
        "the sender leads", lambda: watcher.log.read_text().count('"events.leads"') >= times, 30
    )


def test_every_step_of_a_mail_is_told_in_order(
    telling: Application, receiver: EventReceiver, sink: Sink
) -> None:
    """Success, refusal, a document that is wrong, and an automatic retry."""
    later = "451 4.3.0 later"
    sink.script = Script(
        rcpt={
            "recipient1@example.com": "550 5.1.1 no such user",
            "recipient3@example.com": later,
        }
    )
    _leads(telling.watcher())
    telling.worker(MAX_ATTEMPTS="2", RETRY_BASE_SECONDS="0.1")

    sent, refused = telling.insert(2)
    [wrong] = telling.insert_numbered([2], to=7)
    [again] = telling.insert_numbered([3])

    failed = ["onError", "onComplete"]
    eventually("sent", lambda: receiver.types(sent) == SENT)
    eventually("refused", lambda: receiver.types(refused) == [*SENT[:3], *failed])
    eventually("wrong", lambda: receiver.types(wrong) == [*SENT[:3], *failed])
    retried = [*SENT[:3], "onRetry", "onProcessing", *failed]
    eventually("tried again", lambda: receiver.types(again) == retried)
    [event] = [
        each
        for each in receiver.events
        if each["subject"] == str(refused) and each["type"].endswith("onError")
    ]
    assert event["source"] == f"/mailtrigger/{telling.mails.database.name}/mail"
    assert event["data"]["delivery"]["info"]["rejected"] == ["recipient1@example.com"]
    assert "550 5.1.1" in event["data"]["delivery"]["errors"][0]["response"]


def test_a_killed_sender_loses_nothing(telling: Application, receiver: EventReceiver) -> None:
    """kill -9 in the middle, and mails that end while nobody looks: each outcome is told."""
    watcher = telling.watcher()
    telling.worker()
    _leads(watcher)
    ids = telling.insert(100)
    eventually("some are told", lambda: len(receiver.events) > 20)

    os.kill(_sender(watcher).pid, signal.SIGKILL)
    ids += telling.insert(50)
    telling.wait_for_all("SUCCESS", 150)

    everybody = {str(id) for id in ids}
    eventually("all are told", lambda: receiver.subjects("onSuccess") == everybody, 40)
    eventually("all are complete", lambda: receiver.subjects("onComplete") == everybody)
    assert "events.ended" in watcher.log.read_text()


def test_a_receiver_that_is_away_delays_no_mail(application: Application) -> None:
    """Mails go out; when it is back, it is told of all of them."""
    port = ports.free()
    application.variables |= {
        "EVENTS_URL": f"http://127.0.0.1:{port}/hook",
        "EVENTS_SECRET": SECRET,
    }
    watcher = application.watcher()
    application.worker()
    _leads(watcher)

    ids = application.insert(30)
    application.wait_for_all("SUCCESS", 30)
    eventually("said once", lambda: watcher.log.read_text().count("events.receiver_fails") == 1)
    with EventReceiver(port) as receiver:
        receiver.status = 503
        receiver.status = 200
        everybody = {str(id) for id in ids}
        eventually("all are told", lambda: receiver.subjects("onComplete") == everybody, 60)
        assert all(receiver.types(id) == SENT for id in ids)


def test_after_lost_history_the_ends_are_told(
    telling: Application, receiver: EventReceiver
) -> None:
    """The token is of no use any more: what ended since it was saved is found by an index."""
    telling.watcher(EVENTS_URL="", EVENTS_SECRET="")
    telling.worker()
    ids = telling.insert(5)
    telling.wait_for_all("SUCCESS", 5)
    telling.mails.database["mail.watcher"].insert_one(
        {
            "_id": "events",
            "owner": None,
            "token": {"_data": "of no use"},
            "reached": datetime.now(UTC) - timedelta(minutes=5),
        }
    )

    second = telling.watcher()

    eventually("they are told", lambda: receiver.subjects("onSuccess") == {str(id) for id in ids})
    assert "events.history_lost" in second.log.read_text()
    [new] = telling.insert(1)
    eventually("and new ones", lambda: receiver.types(new) == SENT)


def test_a_function_is_called_with_each_event(application: Application, tmp_path: Path) -> None:
    """EVENTS_HANDLER; what it raises means: again."""
    tmp_path.joinpath("ours.py").write_text(
        "import json, pathlib\n"
        "failed = set()\n"
        "def told(event):\n"
        "    if event['id'] not in failed and event['type'].endswith('onSuccess'):\n"
        "        failed.add(event['id'])\n"
        "        raise OSError('not now')\n"
        f"    with pathlib.Path({str(tmp_path / 'told')!r}).open('a') as file:\n"
        "        print(json.dumps(event), file=file)\n"
    )
    application.variables |= {"EVENTS_HANDLER": "ours:told", "PYTHONPATH": str(tmp_path)}
    _leads(application.watcher())
    application.worker()

    [id] = application.insert(1)

    def told() -> list[str]:
        file = tmp_path / "told"
        lines = file.read_text().splitlines() if file.exists() else []
        events: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [each["type"].rpartition(".")[2] for each in events if each["subject"] == str(id)]

    eventually("all steps", lambda: told() == SENT)


def test_the_sender_ends_with_its_watcher(telling: Application) -> None:
    """Stopped or killed; and another watcher's sender goes on."""
    first = telling.watcher()
    _leads(first)
    sender = _sender(first)

    first.kill()

    eventually("it ends", lambda: not sender.is_running())
    second = telling.watcher()
    child = _sender(second)
    _leads(second)
    assert second.stop() == 0
    assert not child.is_running()


def test_a_handler_that_is_not_there_is_said(application: Application) -> None:
    """The mails go out all the same."""
    watcher = application.watcher(EVENTS_HANDLER="nowhere:told")

    eventually("said", lambda: "No module named 'nowhere'" in watcher.log.read_text())
    assert watcher.returncode is None

"""`python -m tasks …` beside a running watcher and worker, as a user or a program runs it."""

from __future__ import annotations

import json
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.support.application import ROOT, Application, for_a_module, mail
from tests.support.sink import Script, Sink
from tests.support.terminal import ESCAPE, Ended, at_terminal, in_pipe


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """Takes every mail, until it is told otherwise."""
    with Sink() as running:
        yield running


@pytest.fixture(scope="module")
def running(
    sink: Sink,
    mongodb_uri: str,
    broker_url: str,
    mongo_client: MongoClient[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Application]:
    """One watcher and one worker for all tests of this file."""
    directory = tmp_path_factory.mktemp("commands")
    with for_a_module(sink.uri, mongodb_uri, broker_url, mongo_client, directory) as ours:
        yield ours


@pytest.fixture(autouse=True)
def _afresh(running: Application, sink: Sink) -> Iterator[None]:
    """The next test begins with a server that takes all, and with no mails."""
    yield
    sink.script = Script()
    running.mails.delete_many({})


def tasks(running: Application, *arguments: str, stdin: str = "") -> Ended:
    return in_pipe(running.environment, *arguments, stdin=stdin)


def test_send_from_flags(running: Application, sink: Sink, tmp_path: Path) -> None:
    """The id, each state, the outcome of each recipient; plain in a pipe; exit code 0."""
    tmp_path.joinpath("note.txt").write_text("See attachment")
    before = len(sink.messages)

    ended = tasks(
        running, "send", "--to", "a@example.com", "--to", "b@example.com", "--subject", "Grüße",
        "--text", f"@{tmp_path / 'note.txt'}", "--attach", str(tmp_path / "note.txt"),
    )  # fmt: skip

    assert (ended.code, ended.err) == (0, "")
    id, *lines = ended.out.splitlines()
    assert len(id) == 24
    assert any(line.startswith("SUCCESS") for line in lines)
    assert "a@example.com\taccepted\t\t" in lines
    assert ESCAPE not in ended.out
    [message] = sink.messages[before:]
    assert message.recipients == ("a@example.com", "b@example.com")
    assert b'filename="note.txt"' in message.content or b"filename=note.txt" in message.content


def test_send_from_a_file_for_a_program(running: Application) -> None:
    """Extended JSON from stdin, a flag over it; --json: a line for each state, the end last."""
    document = {"_id": {"$numberInt": "7"}, **mail(), "priority": "low"}

    ended = tasks(running, "send", "-", "--priority", "high", "--json", stdin=json.dumps(document))

    states = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 0
    assert (states[-1]["id"], states[-1]["state"]) == ("7", "SUCCESS")
    assert states[-1]["answers"][0]["outcome"] == "accepted"
    assert (running.mails.find_one({"_id": 7}) or {})["priority"] == "high"


def test_a_refused_mail_and_its_retry(running: Application, sink: Sink) -> None:
    """Exit code 1 and the server's words; status says the same; after retry it is SUCCESS."""
    sink.script = Script(rcpt="550 5.1.1 no such user")
    ended = tasks(running, "send", "--to", "a@example.com", "--subject", "x", "--text", "y")
    id = ended.out.split()[0]
    assert ended.code == 1
    assert "a@example.com\trejected\t550\t" in ended.out
    assert "no such user" in ended.out

    told = tasks(running, "status", id, "--json")
    assert told.code == 1
    assert json.loads(told.out)["answers"][0]["code"] == 550

    sink.script = Script()
    retried = tasks(running, "retry", id, "--json")
    assert json.loads(retried.out)["changed"] == 1
    assert tasks(running, "status", id, "--follow").code == 0
    again = tasks(running, "retry", id)
    assert again.code == 1
    assert f"{id} is SUCCESS" in again.err


def test_list_for_programs(running: Application) -> None:
    """JSON lines, or tabs with the names first; the next page by --after."""
    running.insert(3, delivery={"state": "ERROR", "error": "line\nbreak", "startTime": None})
    running.insert(1, delivery={"state": "DRAFT"})

    as_json = tasks(running, "list", "--state", "ERROR", "--limit", "2", "--json")
    after = as_json.err.split()[-1]
    rest = tasks(running, "list", "--state", "ERROR", "--after", after)

    assert [json.loads(line)["state"] for line in as_json.out.splitlines()] == ["ERROR"] * 2
    names, line = rest.out.splitlines()
    assert names.split("\t")[:2] == ["id", "state"]
    assert line.split("\t")[1] == "ERROR"
    assert line.endswith("line\\nbreak")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["list", "--state", "WRONG", "--since", "soon"], 2, ["WRONG", "CANCELLED", "soon", "30d"]),
        (["list", "--after", "nonsense"], 2, ["first page"]),
        (["status", "nobody"], 3, ["nobody", "no such mail"]),
        (["retry"], 2, ["ids, or a filter"]),
        (["cancel", "--state", "SUCCESS", "--yes"], 2, ["SUCCESS", "what waits"]),
        (["purge", "--older-than", "1h"], 2, ["24h"]),
        (["send"], 2, ["--to"]),
        (
            ["send", "examples/plain-text.json", "--data", "@examples/clients/insert.py"],
            2,
            ["JSON"],
        ),
        (["send", "/nowhere.json"], 2, ["/nowhere.json", "No such file"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    running: Application, arguments: list[str], code: int, said: list[str]
) -> None:
    """With what is allowed; nothing is done."""
    ended = tasks(running, *arguments)

    assert (ended.code, ended.out) == (code, "")
    assert len(ended.err.splitlines()) == 1
    for each in said:
        assert each in ended.err


def test_cancel_asks_first(running: Application, sink: Sink) -> None:
    """In a pipe only --yes will do; at a terminal the answer counts."""
    before = len(sink.messages)
    for _ in range(2):
        flags = ["--to", "a@example.com", "--subject", "x", "--text", "y"]
        assert tasks(running, "send", *flags, "--send-at", "2099-01-01", "--no-wait").code == 0
    running.wait_for_all("PENDING", 2)

    piped = tasks(running, "cancel", "--state", "PENDING")
    assert (piped.code, "Cancel 2 mails" in piped.err, "--yes" in piped.err) == (2, True, True)
    no = at_terminal(running.environment, "cancel", "--state", "PENDING", answers={"[y/N]": "n"})
    assert (no.code, "Nothing was changed" in no.out) == (1, True)
    assert running.states() == {"PENDING": 2}
    yes = at_terminal(running.environment, "cancel", "--state", "PENDING", answers={"[y/N]": "y"})
    assert (yes.code, "cancel: 2 of 2 mails" in yes.out) == (0, True)
    assert running.states() == {"CANCELLED": 2}
    assert len(sink.messages) == before


def test_colours_at_a_terminal_and_what_documents_cannot_do_there(running: Application) -> None:
    """NO_COLOR takes them away; a subject with terminal commands is shown, not obeyed."""
    hostile = {"subject": "\x1b]0;owned\x07\u202eevil", "text": "x"}
    [id] = running.insert(message=hostile)
    running.wait_for(id, "SUCCESS", "ERROR")

    coloured = at_terminal(running.environment, "list")
    plain = at_terminal({**running.environment, "NO_COLOR": "1"}, "list")

    assert f"{ESCAPE}[" in coloured.out
    assert f"{ESCAPE}[3" not in plain.out
    for shown in (coloured.out, plain.out):
        assert "\x1b]0" not in shown
        assert "\u202e" not in shown
        assert "\\x1b]0;owned" in shown


def test_watch_tells_what_happens(running: Application) -> None:
    """A line of JSON for each state, until Ctrl-C."""
    process = subprocess.Popen(
        # Background jobs of a shell are born deaf to Ctrl-C; so is what they start.
        ["env", "--default-signal=INT", sys.executable, "-m", "tasks", "watch", "--json"],
        cwd=ROOT,
        env=running.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        # The first line tells that the stream is open.
        wake = running.mails.insert_one({"delivery": {"state": "DRAFT"}}).inserted_id
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while not ready.select(timeout=0.1):
                running.mails.delete_one({"_id": wake})
                wake = running.mails.insert_one({"delivery": {"state": "DRAFT"}}).inserted_id
        [id] = running.insert()
        seen: list[str] = []
        while "SUCCESS" not in seen:
            line = json.loads(process.stdout.readline())
            if line["id"] == str(id):
                seen.append(line["state"])
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert seen[0] == "NEW"
    assert seen[-1] == "SUCCESS"


def test_stats_and_purge(running: Application) -> None:
    """Counts by state; what ended long ago is removed."""
    [id] = running.insert()
    running.wait_for(id, "SUCCESS")
    old = {"state": "ERROR", "endTime": datetime.now(UTC) - timedelta(days=9)}
    running.mails.insert_one({"_id": "old", "delivery": old})

    told = json.loads(tasks(running, "stats", "--json").out)
    purged = tasks(running, "purge", "--older-than", "7d", "--yes", "--json")

    assert told["states"]["ERROR"] == 1
    assert sum(minute["sent"] for minute in told["minutes"]) >= 1
    assert json.loads(purged.out)["removed"] == 1
    assert running.mails.distinct("_id") == [id]


def test_doctor_finds_all_well(running: Application) -> None:
    """Every server, watcher and worker is asked; nothing is broken: exit code 0."""
    ended = tasks(running, "doctor", "--no-dns", "--json")

    findings = json.loads(ended.out)
    levels = {each["subject"]: each["level"] for each in findings}
    assert ended.code == 0, ended.out
    assert "Oplog" in levels  # other tests fill it, and then it reaches back for minutes
    for subject in ("Watcher", "Workers", "Indexes", "Clocks", "Queue mail.normal"):
        assert levels[subject] == "ok", findings


def test_nothing_answers(running: Application) -> None:
    """One line, exit code 69; doctor names each. No traceback, no secret."""
    away = {
        **running.environment,
        "MONGODB_URI": "mongodb://me:hidden@127.0.0.1:1/?serverSelectionTimeoutMS=500",
        "CELERY_BROKER_URL": "redis://:hidden@127.0.0.1:1/0",
        "SMTP_CONNECTION_URI": "smtp://me:hidden@127.0.0.1:1",
    }

    listed = in_pipe(away, "list")
    checked = in_pipe(away, "doctor", "--no-dns")

    assert (listed.code, listed.out, len(listed.err.splitlines())) == (69, "", 1)
    assert listed.err.startswith("MongoDB: 127.0.0.1:1")
    assert checked.code == 1
    for each in ("✗ MongoDB", "✗ Broker", "✗ SMTP server"):
        assert each in checked.out
    assert "hidden" not in listed.err + checked.out + checked.err
    assert "Traceback" not in listed.err + checked.err

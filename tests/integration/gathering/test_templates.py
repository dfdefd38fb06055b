"""The copy of the templates, beside a real collection that changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient, monitoring
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError

from config.mongo import CODEC
from local import ports
from tasks.errors import Transient
from tasks.gathering.templates import Templates
from tasks.mail.handlebars import Limits
from tasks.mail.schema import Message, TemplateUse
from tests.support.application import eventually
from tests.support.failpoint import failing


#: By the promise: a change counts within a second on every worker.
SOON = 1.0
APP = "templates-test"
USE = TemplateUse(name="t")


@pytest.fixture
def followers(mongodb_uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """The client of a worker; its change stream ends with it."""
    with MongoClient[dict[str, Any]](mongodb_uri, appname=APP) as client:
        yield client


@pytest.fixture
def collection(database: Database[dict[str, Any]]) -> Collection[dict[str, Any]]:
    """Templates, as an author sees them."""
    return database["templates"]


@pytest.fixture
def templates(
    followers: MongoClient[dict[str, Any]], collection: Collection[dict[str, Any]]
) -> Templates:
    """A worker's."""
    return _templates(followers, collection)


def _templates(client: MongoClient[Any], collection: Collection[Any]) -> Templates:
    theirs = client[collection.database.name].get_collection(collection.name, codec_options=CODEC)
    return Templates(theirs, Limits())


def subject(templates: Templates, name: str = "t") -> str | None:
    """Render; the subject, or None when there is none."""
    rendered = templates.render(TemplateUse(name=name), 20)
    return rendered.subject if isinstance(rendered, Message) else None


def shows(templates: Templates, wanted: str | None, seconds: float = SOON) -> None:
    eventually(f"the subject is {wanted}", lambda: subject(templates) == wanted, seconds)


def test_changes_count_within_a_second(
    templates: Templates, collection: Collection[dict[str, Any]]
) -> None:
    """Every kind of change: insert, update, replacement, renaming, deletion, drop."""
    assert subject(templates) is None

    collection.insert_one({"_id": "t", "subject": "1"})
    shows(templates, "1")
    collection.update_one({"_id": "t"}, {"$set": {"subject": "2"}})
    shows(templates, "2")
    collection.replace_one({"_id": "t"}, {"subject": "3"})
    shows(templates, "3")
    collection.update_one({"_id": "t"}, {"$set": {"name": "u"}})
    shows(templates, None)
    collection.update_one({"_id": "t"}, {"$unset": {"name": 1}})
    shows(templates, "3")
    collection.delete_one({"_id": "t"})
    shows(templates, None)
    collection.insert_one({"_id": "t", "subject": "4"})
    shows(templates, "4")
    collection.drop()
    shows(templates, None)
    collection.insert_one({"_id": {"any": 1}, "name": "t", "subject": "5"})
    shows(templates, "5")


def test_partials_count_as_well(
    templates: Templates, collection: Collection[dict[str, Any]]
) -> None:
    """A template shows the new text of a partial within a second."""
    collection.insert_one({"_id": "p", "partial": True, "subject": "old"})
    collection.insert_one({"_id": "t", "subject": "{{> p}}"})
    assert subject(templates) == "old"

    collection.update_one({"_id": "p"}, {"$set": {"subject": "new"}})

    shows(templates, "new")


def test_replaced_by_renaming(templates: Templates, collection: Collection[dict[str, Any]]) -> None:
    """A whole collection put in the place of the old one counts, too (mongorestore, a move)."""
    collection.insert_one({"_id": "t", "subject": "old"})
    assert subject(templates) == "old"
    new = collection.database["new"]
    new.insert_one({"_id": "t", "subject": "new"})

    new.rename(collection.name, dropTarget=True)

    shows(templates, "new")


def test_a_transaction_counts_at_once(
    templates: Templates,
    collection: Collection[dict[str, Any]],
    mongo_client: MongoClient[dict[str, Any]],
) -> None:
    """A layout and a template that changed together are never seen apart."""
    collection.insert_many(
        [{"_id": "p", "partial": True, "subject": "0"}, {"_id": "t", "subject": "0{{> p}}"}]
    )
    assert subject(templates) == "00"
    for number in range(1, 20):
        with mongo_client.start_session() as session, session.start_transaction():
            for id, text in (("p", f"{number}"), ("t", f"{number}{{{{> p}}}}")):
                update = {"$set": {"subject": text}}
                collection.update_one({"_id": id}, update, session=session)
        seen: set[str | None] = set()
        while f"{number}{number}" not in seen:
            seen.add(subject(templates))
        assert seen <= {f"{number - 1}{number - 1}", f"{number}{number}"}


def test_a_mail_may_be_faster_than_the_news(
    templates: Templates, collection: Collection[dict[str, Any]]
) -> None:
    """A template that was inserted before the mail is there for it, whenever that was."""
    assert subject(templates) is None

    for number in range(30):
        collection.insert_one({"_id": f"t{number}", "subject": f"{number}"})
        assert subject(templates, f"t{number}") == str(number)


def test_nothing_is_asked_for_a_mail(
    mongodb_uri: str, collection: Collection[dict[str, Any]]
) -> None:
    """Once the templates are there, rendering asks MongoDB nothing."""
    collection.insert_one({"_id": "t", "subject": "x"})
    seen = _Commands()
    with MongoClient[dict[str, Any]](mongodb_uri, event_listeners=[seen]) as client:
        templates = _templates(client, collection)
        subject(templates)
        for _ in range(100):
            assert subject(templates) == "x"

    assert [name for name in seen.names if name != "getMore"] == ["aggregate", "find"]


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("getMore", {"closeConnection": True}),
        ("getMore", {"errorCode": 286}),
        ("getMore", {"errorCode": 280}),
        ("getMore", {"errorCode": 189}),
        ("getMore", {"errorCode": 50}),
    ],
    ids=["connection", "history lost", "fatal", "stepped down", "timeout"],
)
def test_broken_streams(
    templates: Templates,
    collection: Collection[dict[str, Any]],
    mongo_client: MongoClient[dict[str, Any]],
    command: str,
    fault: dict[str, Any],
) -> None:
    """Whatever breaks the stream, the next change is seen, and old templates serve until then."""
    collection.insert_one({"_id": "t", "subject": "1"})
    assert subject(templates) == "1"

    with failing(mongo_client, command, times=3, appName=APP, **fault):
        collection.update_one({"_id": "t"}, {"$set": {"subject": "2"}})
        assert subject(templates) in ("1", "2")
        shows(templates, "2", 10)
    collection.update_one({"_id": "t"}, {"$set": {"subject": "3"}})
    shows(templates, "3", 10)


def test_mongodb_away_stops_no_rendering(
    templates: Templates,
    collection: Collection[dict[str, Any]],
    mongo_client: MongoClient[dict[str, Any]],
) -> None:
    """Once read, the templates serve on while MongoDB answers nothing; then they are read anew."""
    collection.insert_one({"_id": "t", "subject": "1"})
    assert subject(templates) == "1"
    commands = ["getMore", "aggregate", "find", "hello"]

    point: dict[str, Any] = {"configureFailPoint": "failCommand"}
    data = {"failCommands": commands, "closeConnection": True, "appName": APP}
    mongo_client.admin.command({**point, "mode": "alwaysOn", "data": data})
    try:
        collection.update_one({"_id": "t"}, {"$set": {"subject": "2"}})
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            assert subject(templates) == "1"
    finally:
        mongo_client.admin.command({**point, "mode": "off"})
    shows(templates, "2", 20)


def test_forbidden(templates: Templates, mongo_client: MongoClient[dict[str, Any]]) -> None:
    """Missing rights are said in a few words; with the rights the next mail is rendered."""
    with (
        failing(mongo_client, "aggregate", times=100, appName=APP, errorCode=13),
        pytest.raises(Transient) as caught,
    ):
        templates.render(USE, 20)

    assert str(caught.value) == "TEMPLATES_COLLECTION cannot be read: Unauthorized"
    shows(templates, None, 10)


def test_away_from_the_start() -> None:
    """As long as the templates could not be read, the driver's error says so, in time."""
    uri = f"mongodb://127.0.0.1:{ports.free()}/?directConnection=true"
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=100) as client:
        templates = Templates(client["x"]["templates"], Limits())
        started = time.monotonic()
        for _ in range(2):
            with pytest.raises(PyMongoError):
                templates.render(USE, 2)

    assert time.monotonic() - started < 5


def test_many_threads_at_the_start(
    templates: Templates, collection: Collection[dict[str, Any]]
) -> None:
    """Sixteen threads whose first mails come together all wait for one reading."""
    collection.insert_one({"_id": "t", "subject": "x"})
    found: list[str | None] = []
    threads = [threading.Thread(target=lambda: found.append(subject(templates))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == ["x"] * 16


class _Commands(monitoring.CommandListener):
    """Keeps the names of commands."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in ("aggregate", "find", "getMore"):
            self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass

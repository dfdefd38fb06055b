"""Templates through the real processes."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.collection import Collection

from tests.support.application import Application, eventually
from tests.support.sink import Sink


VARIABLES = {"TEMPLATES_COLLECTION": "templates", "SWEEP_SECONDS": "0.5", "ATTACHMENT_BUCKET": "fs"}
GREETING = {"_id": "hi", "subject": "{{version}} {{name}}", "text": "Hello {{name}}"}


@pytest.fixture
def templates(application: Application) -> Collection[dict[str, Any]]:
    """The templates, one of them there already."""
    collection = application.mails.database["templates"]
    collection.insert_one(GREETING)
    return collection


def use(template: str = "hi", /, **data: Any) -> dict[str, Any]:
    return {"message": None, "template": {"name": template, "data": data}}


def test_mails_are_rendered(
    application: Application, templates: Collection[dict[str, Any]], sink: Sink
) -> None:
    """The first mail finds its template, a missing one is an error, a vanished one too."""
    application.watcher(**VARIABLES)
    application.worker(**VARIABLES)
    [good] = application.insert(**use(name="Ann", version=1))
    [missing] = application.insert(**use("hello"))
    [broken] = application.insert(**use(name={"x": b"y"}))

    application.wait_for(good, "SUCCESS")
    assert b"Subject: 1 Ann\r\n" in sink.wait(1)[0].content
    assert application.wait_for(missing, "ERROR")["error"] == (
        'template "hello" is not in TEMPLATES_COLLECTION'
    )
    assert "template.data.name.x is binary" in application.wait_for(broken, "ERROR")["error"]

    templates.delete_one({"_id": "hi"})

    def refused() -> bool:
        [id] = application.insert(**use())
        return bool(application.wait_for(id, "SUCCESS", "ERROR")["state"] == "ERROR")

    eventually("the template is gone", refused, 1)


def test_every_worker_has_the_change_within_a_second(
    application: Application, templates: Collection[dict[str, Any]], sink: Sink
) -> None:
    """Processes of a prefork pool and of another worker follow the collection, each for itself."""
    variables = {**VARIABLES, "WORKER_CONCURRENCY": "2"}
    application.watcher(**variables)
    application.worker(WORKER_POOL="prefork", **variables)
    application.worker(**variables)
    processes: set[str] = set()

    def all_have_rendered() -> bool:
        application.insert(30, **use(name="x"))
        application.wait_for_all("SUCCESS", application.mails.count_documents({}))
        tokens = application.mails.distinct("delivery.worker")
        processes.update(":".join(token.split(":")[:2]) for token in tokens)
        return len(processes) >= 3

    eventually("two processes of one worker and one of another", all_have_rendered, 20)

    templates.update_one({"_id": "hi"}, {"$set": {"subject": "NEW"}})

    def all_new() -> bool:
        before = len(sink.messages)
        application.insert(20, **use(name="x"))
        new = sink.wait(before + 20)[before:]
        return all(b"Subject: NEW\r\n" in message.content for message in new)

    eventually("all mails have the new subject", all_new, 1.5)


def test_without_a_collection(application: Application) -> None:
    """A worker that knows no templates says which setting is needed."""
    application.watcher()
    application.worker()
    [id] = application.insert(**use())

    error = application.wait_for(id, "ERROR")["error"]

    assert error == "template needs the setting TEMPLATES_COLLECTION"

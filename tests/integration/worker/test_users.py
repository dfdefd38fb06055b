"""toUids through the real processes."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import MongoClient

from tests.support.application import Application, eventually
from tests.support.failpoint import failing
from tests.support.sink import Sink


WORKER = "mailtrigger-worker"


@pytest.fixture
def running(application: Application) -> Application:
    """One watcher and one worker that know the users."""
    variables = {"USERS_COLLECTION": "users", "LEASE_SECONDS": "6", "SWEEP_SECONDS": "0.5"}
    application.mails.database["users"].insert_one({"_id": "ann", "email": "ann@example.com"})
    application.watcher(**variables)
    application.worker(**variables)
    return application


def test_users_get_their_mail(running: Application, sink: Sink) -> None:
    """The user's address gets the mail; the missing user is named beside the outcome."""
    [id] = running.insert(toUids=["ann", "nobody"])

    info = running.wait_for(id, "SUCCESS")["info"]

    assert sink.wait(1)[0].recipients == ("recipient0@example.com", "ann@example.com")
    assert info["accepted"] == ["recipient0@example.com", "ann@example.com"]
    assert info["missingUids"] == ["nobody"]


def test_nobody_left(running: Application, sink: Sink) -> None:
    """Without anybody to get it, the mail is an error that names the user."""
    [id] = running.insert(to=None, toUids=["nobody"])

    assert "nobody" in running.wait_for(id, "ERROR")["error"]
    assert sink.messages == []


def test_users_that_must_not_be_read(
    running: Application, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """Missing rights are an error in plain words; after RETRY with the rights, the mail is sent."""
    with failing(mongo_client, "find", appName=WORKER, errorCode=13):
        [id] = running.insert(toUids=["ann"])
        error = running.wait_for(id, "ERROR")["error"]

    running.mails.update_one({"_id": id}, {"$set": {"delivery.state": "RETRY"}})

    running.wait_for(id, "SUCCESS")
    assert error == "USERS_COLLECTION cannot be read: Unauthorized"


def test_mongodb_away_is_no_error_of_the_mail(
    running: Application, sink: Sink, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """While users cannot be looked up the mail waits; then it is sent, once."""
    with failing(mongo_client, "find", times=10**9, appName=WORKER, closeConnection=True):
        [id] = running.insert(toUids=["ann"])
        eventually("the mail is given back", lambda: "AutoReconnect" in running.logs())

    running.wait_for(id, "SUCCESS", seconds=30)

    assert len(sink.messages) == 1

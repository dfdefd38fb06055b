"""uid → address, asked of a real collection."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from bson import Binary, Int64, ObjectId
from pymongo import MongoClient, monitoring
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from local import ports
from tasks.errors import Transient
from tasks.gathering.users import Users
from tests.support.failpoint import failing


OID = ObjectId("65e6d1c0a1b2c3d4e5f60718")
UUID = Binary.from_uuid(uuid.UUID("2c1d7a52-9d6a-4f0e-8f60-0c1a5b6d7e8f"))


@pytest.mark.parametrize(
    ("id", "uid"),
    [
        ("u1", "u1"),
        (OID, OID),
        (OID, str(OID)),
        (UUID, UUID),
        (UUID, str(UUID.as_uuid())),
        (7, 7),
        (Int64(7), 7.0),
        (7, "7"),
        (2**40, str(2**40)),
        (b"x", b"x"),
    ],
    ids=range(10),
)
def test_a_uid_is_an_id_or_its_string(users: Collection[dict[str, Any]], id: Any, uid: Any) -> None:
    """The `_id` itself finds the user, and so does the string that stands for it."""
    users.insert_one({"_id": id, "email": "ann@example.com"})

    assert Users(users).emails([uid], 5) == {uid: "ann@example.com"}


def test_the_string_itself_comes_first(users: Collection[dict[str, Any]]) -> None:
    """Where both exist, the user whose `_id` is the string is meant."""
    users.insert_many([{"_id": 7, "email": "b@x.org"}, {"_id": "7", "email": "a@x.org"}])

    assert Users(users).emails(["7", 7], 5) == {"7": "a@x.org", 7: "b@x.org"}


@pytest.mark.parametrize("email", [None, "", " ", 5, ["a@x.org"], {"a": 1}])
def test_users_without_an_address(users: Collection[dict[str, Any]], email: Any) -> None:
    """No `email`, or one that is no text, is as good as no user."""
    users.insert_many([{"_id": "a", "email": email}, {"_id": "b"}])

    assert Users(users).emails(["a", "b", "c"], 5) == {}


def test_one_query(mongodb_uri: str, users: Collection[dict[str, Any]]) -> None:
    """A hundred users are asked for at once, and nothing but the address is read."""
    users.insert_many([{"_id": n, "email": f"u{n}@x.org", "secret": 1} for n in range(100)])
    seen = _Commands()
    with MongoClient[dict[str, Any]](mongodb_uri, event_listeners=[seen]) as client:
        emails = Users(client[users.database.name][users.name]).emails(list(range(100)), 5)

    assert len(emails) == 100
    assert [command["projection"] for command in seen.finds] == [{"email": 1}]


def test_thousands_of_users(users: Collection[dict[str, Any]]) -> None:
    """More than fit into one query are asked for in several."""
    users.insert_many([{"_id": str(n), "email": f"u{n}@x.org"} for n in range(2_500)])

    emails = Users(users).emails([str(n) for n in range(2_500)], 10)

    assert emails["2499"] == "u2499@x.org"
    assert len(emails) == 2_500


def test_forbidden(
    mongo_client: MongoClient[dict[str, Any]], users: Collection[dict[str, Any]]
) -> None:
    """Missing rights are said in a few words, without the uids; a later attempt may work."""
    with (
        failing(mongo_client, "find", errorCode=13),
        pytest.raises(Transient) as caught,
    ):
        Users(users).emails(["a secret"], 5)

    assert str(caught.value) == "USERS_COLLECTION cannot be read: Unauthorized"


def test_mongodb_away() -> None:
    """When MongoDB is away, that is no failure of the mail: the driver's error says so, in time."""
    uri = f"mongodb://127.0.0.1:{ports.free()}/?directConnection=true"
    with MongoClient[dict[str, Any]](uri) as client, pytest.raises(PyMongoError):
        Users(client["x"]["users"]).emails(["a"], 0.2)


class _Commands(monitoring.CommandListener):
    """Keeps the find commands."""

    def __init__(self) -> None:
        self.finds: list[Any] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name == "find":
            self.finds.append(event.command)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass

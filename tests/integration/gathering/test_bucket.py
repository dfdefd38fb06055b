"""Files in GridFS."""

from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId
from gridfs import GridFSBucket
from pymongo import MongoClient
from pymongo.database import Database

from tasks.errors import Transient
from tasks.gathering.bucket import Bucket
from tasks.gathering.errors import Unobtainable
from tasks.mail.gathered import File
from tests.support.failpoint import failing


@pytest.fixture
def bucket(database: Database[dict[str, Any]]) -> GridFSBucket:
    """Where a service puts its files."""
    return GridFSBucket(database, "fs")


def read(database: Database[dict[str, Any]], id: Any, limit: int = 1_000_000) -> File:
    return Bucket(database, "fs").read(id, limit, 5)


def test_file(database: Database[dict[str, Any]], bucket: GridFSBucket) -> None:
    """A file of several chunks comes whole, with its name and the type its writer noted."""
    data = bytes(range(256)) * 3_000
    metadata = {"contentType": "application/pdf"}
    id = bucket.upload_from_stream("invoice.pdf", data, metadata=metadata)

    for given in (id, str(id)):
        assert read(database, given) == File(data, "invoice.pdf", "application/pdf")


@pytest.mark.parametrize("metadata", [None, {}, {"contentType": 5}])
def test_without_a_type(
    database: Database[dict[str, Any]], bucket: GridFSBucket, metadata: Any
) -> None:
    """A type is not needed, and ids may be of other kinds."""
    bucket.upload_from_stream_with_id("7", "a", b"", metadata=metadata)

    assert read(database, "7") == File(b"", "a", "")


def test_missing(database: Database[dict[str, Any]]) -> None:
    """A file that is not there is the document's fault."""
    with pytest.raises(Unobtainable, match=r"^does not exist in ATTACHMENT_BUCKET$"):
        read(database, ObjectId())


def test_size(database: Database[dict[str, Any]], bucket: GridFSBucket) -> None:
    """A file of more bytes than are left is not read."""
    id = bucket.upload_from_stream("a", bytes(11))

    assert len(read(database, id, limit=11).data) == 11
    with pytest.raises(Unobtainable, match=r"^has more than the 10 bytes"):
        read(database, id, limit=10)


def test_damaged(database: Database[dict[str, Any]], bucket: GridFSBucket) -> None:
    """Half a file is worse than none."""
    id = bucket.upload_from_stream("a", bytes(600_000))
    database["fs.chunks"].delete_one({"files_id": id, "n": 1})

    with pytest.raises(Unobtainable, match=r"^is a file of which parts are missing$"):
        read(database, id)


def test_forbidden(
    database: Database[dict[str, Any]], mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """Missing rights are said in a few words; a later attempt may work."""
    with failing(mongo_client, "find", errorCode=13), pytest.raises(Transient) as caught:
        read(database, "a")

    assert str(caught.value) == "ATTACHMENT_BUCKET cannot be read: Unauthorized"

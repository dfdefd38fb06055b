"""ATTACHMENT_BUCKET: files in MongoDB's GridFS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridfs import GridFSBucket, GridOut
from gridfs.errors import CorruptGridFile, NoFile
from pymongo.database import Database

from config.mongo import Document
from tasks.gathering import identity
from tasks.gathering.errors import Unobtainable, too_large
from tasks.gathering.reading import reading
from tasks.mail.gathered import File


class Bucket:
    """The files of one bucket, by their `_id`."""

    def __init__(self, database: Database[Document], name: str) -> None:
        self._bucket = GridFSBucket(database, name)

    def read(self, id: Any, limit: int, seconds: float) -> File:
        """Read a file of at most `limit` bytes, within so many seconds.

        Raises Unobtainable; Transient when the bucket must not be read; PyMongoError when MongoDB
        is away.
        """
        with reading("ATTACHMENT_BUCKET", seconds):
            found = self._find(id)
            if found.length > limit:
                raise too_large(limit)
            try:
                data = found.read()
            except (CorruptGridFile, NoFile) as error:
                raise Unobtainable("is a file of which parts are missing") from error
        return File(bytes(data), name=found.filename or "", type=_type(found))

    def _find(self, id: Any) -> GridOut:
        query = {"_id": {"$in": identity.forms(id)}}
        files = {file._id: file for file in self._bucket.find(query)}  # noqa: SLF001 - its public name
        found: GridOut | None = identity.chosen([id], files).get(id)
        if found is None:
            raise Unobtainable("does not exist in ATTACHMENT_BUCKET")
        return found


def _type(file: GridOut) -> str:
    """Give its type, where its writer noted one."""
    noted = file.metadata.get("contentType") if isinstance(file.metadata, Mapping) else None
    return noted if isinstance(noted, str) else ""

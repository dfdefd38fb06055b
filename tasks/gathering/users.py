"""USERS_COLLECTION: uid → address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo.collection import Collection

from config.mongo import Document
from tasks.gathering import identity
from tasks.gathering.reading import reading


class Users:
    """The users, documents with an `email`."""

    def __init__(self, collection: Collection[Document]) -> None:
        self._collection = collection

    def emails(self, uids: Sequence[Any], seconds: float) -> dict[Any, str]:
        """Give the address of each user who has one, in one query for up to a thousand.

        Raises Transient when the collection must not be read, PyMongoError when MongoDB is away.
        """
        found: dict[Any, str] = {}
        with reading("USERS_COLLECTION", seconds):
            for page in identity.pages(uids):
                users = self._collection.find({"_id": {"$in": page}}, {"email": 1})
                found |= {
                    user["_id"]: user["email"]
                    for user in users
                    if isinstance(user.get("email"), str) and user["email"].strip()
                }
        return identity.chosen(uids, found)

"""Reads from MongoDB that end in time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pymongo
from pymongo.errors import OperationFailure

from tasks.errors import Transient


@contextlib.contextmanager
def reading(what: str, seconds: float) -> Iterator[None]:
    """Read `what`, within so many seconds.

    Raises Transient when the server refuses it (missing rights, say); any other PyMongoError means
    that MongoDB is away, and comes through: the mail then waits for its return.
    """
    try:
        with pymongo.timeout(seconds):
            yield
    except OperationFailure as error:
        if error.timeout:
            raise
        raise refused(what, error) from error


def refused(what: str, error: OperationFailure) -> Transient:
    """Say why the server lets nobody read it, in a few words."""
    name = (error.details or {}).get("codeName", f"error {error.code}")
    return Transient(f"{what} cannot be read: {name}")
